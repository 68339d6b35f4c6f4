/** `handfast device list` and `device show`: the registry as it is. */
import type { Command } from 'commander'
import type { CredentialView, DeviceDetailView, DeviceView, PageView } from '../../../api-schema/views.ts'
import { failure } from '../../../core/failure/catalogue.ts'
import { type IdentityState, identityStates } from '../../../core/identity/identity.ts'
import { limits } from '../../../core/limits.ts'
import type { HubApi } from '../../api-client.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printFields, printJson, printLine, printTable, shortTime } from '../../output.ts'
import { collectAttribute, oneOf, wholeNumber } from '../../values.ts'

/** Filters of devices, the same for every command that has them. */
export interface FilterOptions {
  readonly state?: IdentityState
  readonly group?: string
  readonly prefix?: string
  readonly attr?: Readonly<Record<string, string>>
}

export function addFilterOptions(command: Command): Command {
  return command
    .option(
      '--state <state>',
      `only those in this state: ${identityStates.join(', ')}`,
      oneOf('--state', identityStates),
    )
    .option('--group <group>', 'only those of this group')
    .option('--prefix <text>', 'only those whose ids begin with it')
    .option('--attr <name=value>', 'only those with this attribute, may be repeated', collectAttribute)
}

interface ListOptions extends HubOptions, FilterOptions {
  readonly limit?: number
  readonly all?: boolean
}

export function defineList(command: Command): void {
  addFilterOptions(addHubOptions(command))
    .option('--limit <n>', 'rows on a page', wholeNumber('--limit', 1, limits.pageRowsMax))
    .option('--all', 'all of them, page after page')
    .action(async (options: ListOptions) => {
      const page = await listDevices(options)
      if (options.json) return printJson(page)
      if (page.items.length === 0) return note(noDevices(options))
      const rows = page.items.map((each) => [
        each.id,
        each.state,
        each.group ?? '-',
        shortTime(each.createdAt),
        attributesText(each),
      ])
      printTable(['ID', 'STATE', 'GROUP', 'REGISTERED', 'ATTRIBUTES'], rows)
      if (page.next !== null) note('There are more; see them with --all.')
    })
}

function noDevices({ state, group, prefix, attr }: FilterOptions): string {
  const isFiltered = [state, group, prefix, attr].some((filter) => filter !== undefined)
  return isFiltered ? 'No such devices.' : `No devices. Next:\n  ${handfast} device add pump-7`
}

/** A page that is full, although the hub may answer with less where filters leave little; or all pages. */
async function listDevices(options: ListOptions): Promise<PageView<DeviceView>> {
  const wanted = options.limit ?? limits.pageRowsDefault
  const rows = () => (options.all ? (options.limit ?? limits.pageRowsMax) : wanted - items.length)
  const items: DeviceView[] = []
  let next: string | null = null
  for await (const page of devicePages(hubOf(options), options, rows)) {
    items.push(...page.items)
    next = page.next
    if (!options.all && items.length >= wanted) break
  }
  return { items, next }
}

/**
 * Devices page by page, to the last one or until the reader has enough.
 *
 * @param rows how many the next page may have, 1 to `limits.pageRowsMax`
 */
export async function* devicePages(
  hub: HubApi,
  { state, group, prefix, attr = {} }: FilterOptions,
  rows: () => number,
): AsyncGenerator<PageView<DeviceView>> {
  const attributes = Object.fromEntries(Object.entries(attr).map(([name, value]) => [`attr.${name}`, value]))
  let after: string | undefined
  do {
    const page: PageView<DeviceView> = await hub.get('/devices', {
      state,
      group,
      idPrefix: prefix,
      ...attributes,
      limit: rows(),
      after,
    })
    yield page
    after = page.next ?? undefined
  } while (after !== undefined)
}

export function defineShow(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).get<DeviceDetailView>(`/devices/${pathPart(id)}`)
    if (options.json) return printJson(view)
    const { device, credentials, contests } = view
    printFields([
      ['id', device.id],
      ['state', device.state],
      ['group', device.group ?? '-'],
      ['attributes', attributesText(device)],
      ['profiles', device.profiles.join(' ') || '-'],
      ['names', [...device.dnsNames, ...device.ipAddresses, ...device.emails].join(' ') || '-'],
      ['key', device.keyStorage === null ? 'in no known place' : `in ${device.keyStorage}`],
      ['registered', shortTime(device.createdAt)],
      ['changed', shortTime(device.updatedAt)],
    ])
    printLine()
    if (credentials.length === 0) return printLine('no certificates yet')
    printTable(credentialHeadings, credentials.map(credentialRow))
    for (const each of contests) {
      const asked = `two keys asked to follow ${each.renewed}: ${each.earlier} was given to one, ${each.later} to the other`
      printLine(`\n${shortTime(each.at)}  ${asked}`)
    }
    if (contests.length > 0) printLine(`hint: ${failure('renewal-contested').cure}`)
  })
}

/** Headings of {@link credentialRow}. */
export const credentialHeadings: readonly string[] = ['SERIAL NUMBER', 'STATE', 'FROM', 'TO', 'REVOKED']

/** A certificate of an identity as a row. */
export function credentialRow(each: CredentialView): readonly string[] {
  const revoked = each.revokedAt === null ? '-' : `${shortTime(each.revokedAt)} ${each.revocationReason ?? ''}`
  // What is superseded is good for its overlap, whatever stands in it.
  const until = each.overlapEndsAt ?? each.notAfter
  return [each.serialNumber, each.state, shortTime(each.notBefore), shortTime(until), revoked]
}

/** Attributes on one line. */
export function attributesText(device: DeviceView): string {
  const pairs = Object.entries(device.attributes).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? '-' : pairs.join(' ')
}
