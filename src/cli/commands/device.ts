/** `handfast device …`: the registry of devices. */
import type { Command } from 'commander'
import type { CreateTokenRequest, RegisterDeviceRequest } from '../../api-schema/requests.ts'
import type {
  BootstrapView,
  CredentialView,
  DeviceChangeView,
  DeviceDetailView,
  DeviceView,
  PageView,
} from '../../api-schema/views.ts'
import { quote } from '../../core/errors.ts'
import { type IdentityState, identityStates } from '../../core/identity/identity.ts'
import { limits } from '../../core/limits.ts'
import { handfast } from '../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../hub-options.ts'
import { note, printFields, printJson, printLine, printTable, shellWord, shortTime } from '../output.ts'
import { collectAttribute, duration, oneOf, wholeNumber } from '../values.ts'

export function define(command: Command): void {
  // Without a subcommand the failure is reported; the whole help would bury it.
  command.configureOutput({ writeErr: () => {} })
  defineAdd(command.command('add <id>').description('register a device and print its bootstrap string'))
  defineToken(command.command('token <id>').description('print a new bootstrap string for a registered device'))
  defineList(command.command('list').description('list devices'))
  defineShow(command.command('show <id>').description('show a device and its certificates'))
  defineChange(command, 'disable', 'cut a device off until it is enabled again')
  defineChange(command, 'enable', 'let a disabled device back in')
  defineChange(command, 'retire', 'end a device for good; its id is never used again')
}

interface TokenOptions extends HubOptions {
  readonly tokenTtl?: number
}

interface AddOptions extends TokenOptions {
  readonly group?: string
  readonly attr?: Readonly<Record<string, string>>
}

const ttlHelp = 'how long the bootstrap string is good: 90s, 30m, 24h, 7d (default 24h)'
/** The same bounds as in api-schema/requests.ts. */
const parseTtl = duration('--token-ttl', '60s', '30d')

function defineAdd(command: Command): void {
  addHubOptions(command)
    .option('--group <group>', 'group of the device')
    .option('--attr <name=value>', 'attribute, may be repeated', collectAttribute)
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .action(async (id: string, options: AddOptions) => {
      const request: RegisterDeviceRequest = {
        id,
        ...(options.group === undefined ? {} : { group: options.group }),
        ...(options.attr === undefined ? {} : { attributes: { ...options.attr } }),
        ...(options.tokenTtl === undefined ? {} : { tokenLifetimeSec: options.tokenTtl }),
      }
      const view = await hubOf(options).post<BootstrapView>('/devices', request)
      const until = shortTime(view.tokenExpiresAt)
      printBootstrap(view, `${view.device.id} is registered. This string enrols it once, until ${until}:`, options)
    })
}

function defineToken(command: Command): void {
  addHubOptions(command)
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .action(async (id: string, options: TokenOptions) => {
      const request: CreateTokenRequest = options.tokenTtl === undefined ? {} : { tokenLifetimeSec: options.tokenTtl }
      const view = await hubOf(options).post<BootstrapView>(`/devices/${pathPart(id)}/tokens`, request)
      const until = shortTime(view.tokenExpiresAt)
      const news = `A new string for ${view.device.id}; it enrols once, until ${until}. Earlier ones work no more:`
      printBootstrap(view, news, options)
    })
}

/** The string stands alone on standard output, so that it can be piped into `handfast enrol -`. */
function printBootstrap(view: BootstrapView, news: string, { json }: HubOptions): void {
  if (json) {
    printJson(view)
    return
  }
  note(`${news}\n`)
  printLine(view.bootstrap)
  note(`\nNext, on the device:\n  ${handfast} enrol ${shellWord(view.bootstrap)} --dir ${shellWord(view.device.id)}`)
}

interface ListOptions extends HubOptions {
  readonly state?: IdentityState
  readonly group?: string
  readonly limit?: number
  readonly all?: boolean
}

function defineList(command: Command): void {
  addHubOptions(command)
    .option(
      '--state <state>',
      `only those in this state: ${identityStates.join(', ')}`,
      oneOf('--state', identityStates),
    )
    .option('--group <group>', 'only those of this group')
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

function noDevices({ state, group }: ListOptions): string {
  if (state === undefined && group === undefined) return `No devices. Next:\n  ${handfast} device add pump-7`
  const inState = state === undefined ? '' : `${state} `
  return `No ${inState}devices${group === undefined ? '' : ` in group ${quote(group)}`}.`
}

async function listDevices(options: ListOptions): Promise<PageView<DeviceView>> {
  const hub = hubOf(options)
  const items: DeviceView[] = []
  let after: string | null = null
  do {
    const page: PageView<DeviceView> = await hub.get('/devices', {
      state: options.state,
      group: options.group,
      limit: options.limit ?? (options.all ? limits.pageRowsMax : undefined),
      after: after ?? undefined,
    })
    items.push(...page.items)
    after = page.next
  } while (options.all && after !== null)
  return { items, next: after }
}

function defineShow(command: Command): void {
  addHubOptions(command).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).get<DeviceDetailView>(`/devices/${pathPart(id)}`)
    if (options.json) return printJson(view)
    const { device, credentials } = view
    printFields([
      ['id', device.id],
      ['state', device.state],
      ['group', device.group ?? '-'],
      ['attributes', attributesText(device)],
      ['registered', shortTime(device.createdAt)],
      ['changed', shortTime(device.updatedAt)],
    ])
    printLine()
    if (credentials.length === 0) return printLine('no certificates yet')
    printTable(['SERIAL NUMBER', 'STATE', 'FROM', 'TO', 'REVOKED'], credentials.map(credentialRow))
  })
}

function credentialRow(each: CredentialView): readonly string[] {
  const revoked = each.revokedAt === null ? '-' : `${shortTime(each.revokedAt)} ${each.revocationReason ?? ''}`
  return [each.serialNumber, each.state, shortTime(each.notBefore), shortTime(each.notAfter), revoked]
}

function attributesText(device: DeviceView): string {
  const pairs = Object.entries(device.attributes).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? '-' : pairs.join(' ')
}

function defineChange(parent: Command, act: 'disable' | 'enable' | 'retire', summary: string): void {
  addHubOptions(parent.command(`${act} <id>`).description(summary)).action(async (id: string, options: HubOptions) => {
    const view = await hubOf(options).post<DeviceChangeView>(`/devices/${pathPart(id)}/${act}`, {})
    if (options.json) return printJson(view)
    printChange(view)
    if (act === 'disable') note(`Let it back in with:\n  ${handfast} device enable ${shellWord(id)}`)
  })
}

/** What a change did, in a sentence. */
export function printChange({ device, revoked, tokensEnded }: DeviceChangeView): void {
  const parts = [`${device.id} is ${device.state}`]
  if (revoked.length > 0) parts.push(`revoked: ${revoked.join(', ')}`)
  if (tokensEnded > 0) parts.push(`${tokensEnded} enrolment token${tokensEnded === 1 ? '' : 's'} ended`)
  printLine(parts.join('; '))
}
