/** `handfast password list` and `revoke`. */
import type { Command } from 'commander'
import type { PasswordListView, RevokePasswordsRequest } from '../../../api-schema/passwords.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printJson, printLine, printTable, shortTime } from '../../output.ts'
import { amount } from '../../summary.ts'

interface RevokeOptions extends HubOptions {
  readonly password?: string
}

export function defineList(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const list = await hubOf(options).get<PasswordListView>(`/identities/${pathPart(id)}/passwords`)
    if (options.json) return printJson(list)
    const time = (text: string | null) => (text === null ? '-' : shortTime(text))
    const rows = list.items.map((each) => [
      each.id,
      each.state,
      shortTime(each.createdAt),
      time(each.usedAt),
      time(each.endsAt),
    ])
    printTable(['PASSWORD', 'STATE', 'SET', 'FIRST USED', 'ENDS'], rows)
  })
}

export function defineRevoke(command: Command): void {
  addHubOptions(command)
    .option('--password <password-id>', 'only this one, as `password list` shows it')
    .action(async (id: string, options: RevokeOptions) => {
      const request: RevokePasswordsRequest = { password: options.password ?? null }
      const list = await hubOf(options).post<PasswordListView>(`/identities/${pathPart(id)}/passwords/revoke`, request)
      if (options.json) return printJson(list)
      printLine(`${amount(list.items.length, 'password')} of ${id} ended; sessions that were made with them close`)
    })
}
