/** `handfast whoami`: who this command line is to the hub. */
import type { Command } from 'commander'
import type { CallerView } from '../../api-schema/access.ts'
import { addHubOptions, type HubOptions, hubOf } from '../hub-options.ts'
import { printFields, printJson, shortTime } from '../output.ts'
import { rolesText } from '../role-options.ts'

/** Where the list of acts is folded. */
const columnsMax = 100

export function define(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const caller = await hubOf(options).get<CallerView>('/caller')
    if (options.json) return printJson(caller)
    const fields: [string, string][] = [
      ['actor', caller.actor],
      ...rolesText(caller.roles)
        .split('\n')
        .map((text): [string, string] => ['is', text]),
      ['ends', caller.endsAt === null ? 'never' : shortTime(caller.endsAt)],
      ['may', caller.acts.join(' ')],
    ]
    printFields(fields, columnsMax)
  })
}
