/** `handfast device add` and `device token`: bootstrap strings. */
import type { Command } from 'commander'
import type { CreateTokenRequest, RegisterDeviceRequest } from '../../../api-schema/requests.ts'
import type { BootstrapView } from '../../../api-schema/views.ts'
import { type KeyStorage, keyStorages } from '../../../core/identity/identity.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson, printLine, shellWord, shortTime } from '../../output.ts'
import { collectAttribute, collectWord, duration, parseKeyStorage } from '../../values.ts'

interface TokenOptions extends HubOptions {
  readonly tokenTtl?: number
  readonly approval?: boolean
  readonly qr?: boolean
}

interface NewTokenOptions extends TokenOptions {
  readonly profile?: string
}

interface AddOptions extends TokenOptions {
  readonly group?: string
  readonly attr?: Readonly<Record<string, string>>
  readonly profile?: readonly string[]
  readonly dns?: readonly string[]
  readonly ip?: readonly string[]
  readonly keyStorage?: KeyStorage
}

/** The option --token-ttl of every command that makes tokens. */
export const ttlHelp = 'how long the bootstrap string is good: 90s, 30m, 24h, 7d (default 24h)'
/** The same bounds as in api-schema/requests.ts. */
export const parseTtl = duration('--token-ttl', '60s', '30d')

const qrHelp = 'show the string as a QR code, too'
const approvalHelp = 'the key that enrols with it waits until it is approved with `device approve`'

function tokenFields({ tokenTtl, approval }: TokenOptions): CreateTokenRequest {
  return {
    ...(tokenTtl === undefined ? {} : { tokenLifetimeSec: tokenTtl }),
    ...(approval ? { needsApproval: true } : {}),
  }
}

export function defineAdd(command: Command): void {
  addHubOptions(command)
    .option('--group <group>', 'group of the device')
    .option('--attr <name=value>', 'attribute, may be repeated', collectAttribute)
    .option(
      '--profile <name>',
      "profile that it is granted, may be repeated (default device); the first is its token's",
      collectWord,
    )
    .option('--dns <name>', 'DNS name that its certificates may have, may be repeated', collectWord)
    .option('--ip <address>', 'address that its certificates may have, may be repeated', collectWord)
    .option('--key-storage <place>', `where its key lives: ${keyStorages.join(', ')}`, parseKeyStorage)
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .option('--approval', approvalHelp)
    .option('--qr', qrHelp)
    .action(async (id: string, options: AddOptions) => {
      const request: RegisterDeviceRequest = {
        id,
        ...(options.group === undefined ? {} : { group: options.group }),
        ...(options.attr === undefined ? {} : { attributes: { ...options.attr } }),
        ...(options.profile === undefined ? {} : { profiles: [...options.profile], tokenProfile: options.profile[0] }),
        ...(options.dns === undefined ? {} : { dnsNames: [...options.dns] }),
        ...(options.ip === undefined ? {} : { ipAddresses: [...options.ip] }),
        ...(options.keyStorage === undefined ? {} : { keyStorage: options.keyStorage }),
        ...tokenFields(options),
      }
      const view = await hubOf(options).post<BootstrapView>('/devices', request)
      const until = shortTime(view.tokenExpiresAt)
      await printBootstrap(
        view,
        `${view.device.id} is registered. This string enrols it once, until ${until}:`,
        options,
      )
    })
}

export function defineToken(command: Command): void {
  addHubOptions(command)
    .option('--profile <name>', 'profile of the certificate, one that the device is granted (default device)')
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .option('--approval', approvalHelp)
    .option('--qr', qrHelp)
    .action(async (id: string, options: NewTokenOptions) => {
      const request: CreateTokenRequest = {
        ...(options.profile === undefined ? {} : { tokenProfile: options.profile }),
        ...tokenFields(options),
      }
      const view = await hubOf(options).post<BootstrapView>(`/devices/${pathPart(id)}/tokens`, request)
      const until = shortTime(view.tokenExpiresAt)
      const news = `A new string for ${view.device.id}; it enrols once, until ${until}. Earlier ones work no more:`
      await printBootstrap(view, news, options)
    })
}

/** The string stands alone on standard output, so that it can be piped into `handfast enrol -`. */
async function printBootstrap(view: BootstrapView, news: string, { json, qr }: TokenOptions): Promise<void> {
  if (json) {
    printJson(view)
    return
  }
  note(`${news}\n`)
  printLine(view.bootstrap)
  if (qr) {
    const { qrCode } = await import('../../qr-code.ts')
    // Asked for, so also where nobody seems to look.
    process.stderr.write(`\n${qrCode(view.bootstrap, process.stderr.isTTY === true)}\n`)
  }
  note(`\nNext, on the device:\n  ${handfast} enrol ${shellWord(view.bootstrap)} --dir ${shellWord(view.device.id)}`)
}
