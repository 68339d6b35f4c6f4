/** `list` and `show` of services and people. */
import type { Command } from 'commander'
import type { IdentityDetailView, IdentityView } from '../../../api-schema/identities.ts'
import type { PageView } from '../../../api-schema/views.ts'
import { type IdentityState, identityStates } from '../../../core/identity/identity.ts'
import { limits } from '../../../core/limits.ts'
import type { HubApi } from '../../api-client.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printFields, printJson, printLine, printTable, shortTime } from '../../output.ts'
import { oneOf, wholeNumber } from '../../values.ts'
import { credentialHeadings, credentialRow } from '../device/list.ts'
import type { CommandKind } from './kind.ts'

interface ListOptions extends HubOptions {
  readonly state?: IdentityState
  readonly group?: string
  readonly prefix?: string
  readonly limit?: number
  readonly all?: boolean
}

export function defineList(command: Command, kind: CommandKind): void {
  addHubOptions(command)
    .option(
      '--state <state>',
      `only those in this state: ${identityStates.join(', ')}`,
      oneOf('--state', identityStates),
    )
    .option('--group <group>', 'only those of this group')
    .option('--prefix <text>', 'only those whose ids begin with it')
    .option('--limit <n>', 'rows on a page', wholeNumber('--limit', 1, limits.pageRowsMax))
    .option('--all', 'all of them, page after page')
    .action(async (options: ListOptions) => {
      const page = await listed(hubOf(options), kind, options)
      if (options.json) return printJson(page)
      if (page.items.length === 0) return note(nobody(kind, options))
      const rows = page.items.map((each) => [each.id, each.state, each.group ?? '-', namesText(each)])
      printTable(['ID', 'STATE', 'GROUP', 'NAMES'], rows)
      if (page.next !== null) note('There are more; see them with --all.')
    })
}

function nobody({ word, path }: CommandKind, { state, group, prefix }: ListOptions): string {
  const isFiltered = [state, group, prefix].some((filter) => filter !== undefined)
  if (isFiltered) return `No such ${path}.`
  const next = word === 'user' ? 'user add anna --email anna@plant.example' : 'cert issue --name broker.plant.example'
  return `No ${path}. Next:\n  ${handfast} ${next}`
}

/** A page that is full, although the hub may answer with less where filters leave little; or all pages. */
async function listed(hub: HubApi, { path }: CommandKind, options: ListOptions): Promise<PageView<IdentityView>> {
  const { state, group, prefix } = options
  const wanted = options.limit ?? limits.pageRowsDefault
  const items: IdentityView[] = []
  let after: string | undefined
  do {
    const limit = options.all ? (options.limit ?? limits.pageRowsMax) : wanted - items.length
    const query = { state, group, idPrefix: prefix, limit, after }
    const page: PageView<IdentityView> = await hub.get(`/${path}`, query)
    items.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined && (options.all || items.length < wanted))
  return { items, next: after ?? null }
}

export function defineShow(command: Command, kind: CommandKind): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).get<IdentityDetailView>(`/${kind.path}/${pathPart(id)}`)
    if (options.json) return printJson(view)
    const { identity, credentials } = view
    printFields([
      ['id', identity.id],
      ['state', identity.state],
      ['group', identity.group ?? '-'],
      ['names', namesText(identity)],
      ['profiles', identity.profiles.join(' ')],
      ['registered', shortTime(identity.createdAt)],
      ['changed', shortTime(identity.updatedAt)],
    ])
    printLine()
    if (credentials.length === 0) return printLine('no certificates yet')
    printTable(credentialHeadings, credentials.map(credentialRow))
  })
}

/** All names of an identity on one line. */
export function namesText({ dnsNames, ipAddresses, emails }: IdentityView): string {
  return [...dnsNames, ...ipAddresses, ...emails].join(' ') || '-'
}
