/** `handfast key list`, `show` and `remove`. */
import type { Command } from 'commander'
import type { ApiKeyListView, ApiKeyView } from '../../../api-schema/access.ts'
import { grantText } from '../../../core/authorisation/role.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printFields, printJson, printLine, printTable, shortTime } from '../../output.ts'

export function defineList(command: Command): void {
  addHubOptions(command).action(async (options: HubOptions) => {
    const list = await hubOf(options).get<ApiKeyListView>('/keys')
    if (options.json) return printJson(list)
    const rows = list.items.map((key) => [
      key.name,
      key.role,
      key.groups.join(', ') || '-',
      key.mayRegister ? 'yes' : '-',
      shortTime(key.createdAt),
      endOf(key),
    ])
    printTable(['NAME', 'ROLE', 'GROUPS', 'REGISTERS', 'MADE', 'ENDS'], rows)
  })
}

export function defineShow(command: Command): void {
  addHubOptions(command).action(async (name: string, options: HubOptions) => {
    const key = await hubOf(options).get<ApiKeyView>(`/keys/${pathPart(name)}`)
    if (options.json) return printJson(key)
    printFields([
      ['name', key.name],
      ['id', key.id],
      ['is', grantText(key)],
      ['made', shortTime(key.createdAt)],
      ['ends', endOf(key)],
    ])
  })
}

export function defineRemove(command: Command): void {
  addHubOptions(command).action(async (name: string, options: HubOptions) => {
    const key = await hubOf(options).post<ApiKeyView>(`/keys/${pathPart(name)}/remove`, {})
    if (options.json) return printJson(key)
    printLine(`${key.name}, ${grantText(key)}, opens nothing any more`)
  })
}

function endOf({ expiresAt, state }: ApiKeyView): string {
  if (expiresAt === null) return 'never'
  return state === 'ended' ? `ended ${shortTime(expiresAt)}` : shortTime(expiresAt)
}
