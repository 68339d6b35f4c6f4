/** `handfast ca list` and `show`. */
import type { Command } from 'commander'
import type { AuthorityDetailView, AuthorityListView, AuthorityView } from '../../../api-schema/authority-views.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { printFields, printJson, printLine, printTable, shortTime } from '../../output.ts'

interface ListOptions extends HubOptions {
  readonly all?: boolean
}

export function defineList(command: Command): void {
  addHubOptions(command)
    .option('--all', 'with those that are retired')
    .action(async (options: ListOptions) => {
      const { items } = await hubOf(options).get<AuthorityListView>('/authorities')
      const shown = items.filter(({ state }) => options.all === true || state !== 'retired')
      if (options.json) return printJson({ items: shown })
      printAuthorities(shown)
    })
}

export function printAuthorities(items: readonly AuthorityView[]): void {
  printTable(
    ['AUTHORITY', 'ROLE', 'CHAIN', 'STATE', 'KEY', 'GOOD UNTIL'],
    items.map((each) => [each.id, each.role, each.chain, each.state, keyText(each), shortTime(each.notAfter)]),
  )
}

function keyText({ keyType, keyPlace }: AuthorityView): string {
  return keyPlace === 'offline' ? `${keyType}, offline` : keyType
}

interface ShowOptions extends HubOptions {
  readonly pem?: boolean
}

export function defineShow(command: Command): void {
  addHubOptions(command)
    .option('--pem', 'print its certificate and those that are sent behind it')
    .action(async (id: string, options: ShowOptions) => {
      const view = await hubOf(options).get<AuthorityDetailView>(`/authorities/${pathPart(id)}`)
      if (options.json) return printJson(view)
      // The path begins with its own certificate; that of a root is not sent.
      if (options.pem) return printLine((view.path.length === 0 ? [view.certificate] : view.path).join('').trimEnd())
      const { authority } = view
      printFields([
        ['id', authority.id],
        ['role', authority.role],
        ['chain', authority.chain],
        ['state', authority.state],
        ['key', keyText(authority)],
        ['name', authority.subject],
        ['signed by', authority.parentId ?? (authority.role === 'root' ? 'itself' : 'somebody else')],
        ['fingerprint', authority.fingerprint],
        ['good', `${shortTime(authority.notBefore)} to ${shortTime(authority.notAfter)}`],
        ['cross-certificates', String(view.crossCertificates.length)],
      ])
    })
}
