/** A server of the operator's that a profile gives a part at the hub, as gates and verifiers have: it is registered, and enrols with a string. */
import type { Command } from 'commander'
import type { IdentityView, RegisterIdentityRequest } from '../api-schema/identities.ts'
import type { BootstrapView } from '../api-schema/views.ts'
import { HubError } from '../core/errors.ts'
import type { HubApi } from './api-client.ts'
import { parseTtl, ttlHelp } from './commands/device/register.ts'
import { addHubOptions, type HubOptions, hubOf } from './hub-options.ts'
import { note, printJson, printLine, shortTime } from './output.ts'
import { hinted, serviceToken } from './service-token.ts'
import { collected } from './values.ts'

export interface ServerWords {
  /** Name of the profile. */
  readonly profile: string
  /** Who connects to it, and what it is: "devices", "gate". */
  readonly users: string
  readonly noun: string
  /** A name that it may have. */
  readonly exampleName: string
  /** What it is once it is registered, behind its id: "is registered as a gate". */
  readonly registered: string
  /** What to do where the id is taken, and where the service lacks the profile. */
  takenHint(id: string): string
  grantHint(id: string): string
  /** Told last: what to do on its machine. */
  tellNext(hub: HubApi): Promise<void>
}

interface TokenOptions extends HubOptions {
  readonly tokenTtl?: number
}

interface AddOptions extends TokenOptions {
  readonly name?: readonly string[]
  readonly ip?: readonly string[]
  readonly group?: string
}

export function defineServerAdd(command: Command, words: ServerWords): void {
  const { users, noun, profile } = words
  addHubOptions(command)
    .option('--name <dns>', `DNS name that ${users} use for the ${noun}, may be repeated`, collected)
    .option('--ip <address>', `IP address that ${users} use for it, may be repeated`, collected)
    .option('--group <group>', 'group of the service')
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .action(async (id: string, options: AddOptions) => {
      const { name = [], ip = [], group } = options
      if (name.length + ip.length === 0) {
        throw new HubError('usage', `a ${noun} needs a name by which its ${users} find it`, {
          hint: `give --name ${words.exampleName}, or --ip, or both`,
        })
      }
      const request: RegisterIdentityRequest = {
        id,
        dnsNames: [...name],
        ipAddresses: [...ip],
        profiles: [profile],
        ...(group === undefined ? {} : { group }),
      }
      await hubOf(options)
        .post<IdentityView>('/services', request)
        .catch(hinted({ 'identity-exists': words.takenHint(id) }))
      await printToken(words, id, `${id} ${words.registered}. This string enrols it once, until`, options)
    })
}

export function defineServerToken(command: Command, words: ServerWords): void {
  addHubOptions(command)
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .action((id: string, options: TokenOptions) =>
      printToken(words, id, `A new string for ${id}; earlier ones work no more. It enrols once, until`, options),
    )
}

/** The string stands alone on standard output, so that it can be piped into a file. */
async function printToken(words: ServerWords, id: string, news: string, options: TokenOptions): Promise<void> {
  const hub = hubOf(options)
  const order = { id, profile: words.profile, ttlSec: options.tokenTtl }
  const view: BootstrapView = await serviceToken(hub, order).catch(
    hinted({ 'profile-not-granted': words.grantHint(id) }),
  )
  if (options.json) return printJson(view)
  note(`${news} ${shortTime(view.tokenExpiresAt)}:\n`)
  printLine(view.bootstrap)
  await words.tellNext(hub)
}
