/** `handfast gate add` and `gate token`: on the hub, what a gate on another machine needs for its first start. */
import type { Command } from 'commander'
import type { IdentityView, RegisterIdentityRequest } from '../../../api-schema/identities.ts'
import type { HubView } from '../../../api-schema/views.ts'
import { HubError } from '../../../core/errors.ts'
import { hostAndPort } from '../../addresses.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { note, printJson, printLine, shellWord, shortTime } from '../../output.ts'
import { hinted, serviceToken } from '../../service-token.ts'
import { collected } from '../../values.ts'
import { parseTtl, ttlHelp } from '../device/register.ts'

/** Name of the profile that makes a service a gate. */
const gateProfileName = 'gate'

interface TokenOptions extends HubOptions {
  readonly tokenTtl?: number
}

interface AddOptions extends TokenOptions {
  readonly name?: readonly string[]
  readonly ip?: readonly string[]
  readonly group?: string
}

export function defineAdd(command: Command): void {
  addHubOptions(command)
    .option('--name <dns>', 'DNS name that devices use for the gate, may be repeated', collected)
    .option('--ip <address>', 'IP address that devices use for it, may be repeated', collected)
    .option('--group <group>', 'group of the service')
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .action(async (id: string, options: AddOptions) => {
      const { name = [], ip = [], group } = options
      if (name.length + ip.length === 0) {
        throw new HubError('usage', 'a gate needs a name by which devices find it', {
          hint: 'give --name gate-2.plant.example, or --ip, or both',
        })
      }
      const request: RegisterIdentityRequest = {
        id,
        dnsNames: [...name],
        ipAddresses: [...ip],
        profiles: [gateProfileName],
        ...(group === undefined ? {} : { group }),
      }
      await hubOf(options)
        .post<IdentityView>('/services', request)
        .catch(hinted({ 'identity-exists': tokenHint(id) }))
      await printToken(id, `${id} is registered as a gate. This string enrols it once, until`, options)
    })
}

export function defineToken(command: Command): void {
  addHubOptions(command)
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .action((id: string, options: TokenOptions) =>
      printToken(id, `A new string for ${id}; earlier ones work no more. It enrols once, until`, options),
    )
}

function tokenHint(id: string): string {
  return `choose another id; if it is a gate already, \`handfast gate token ${id}\` prints another string for it`
}

function grantHint(id: string): string {
  return `it is no gate; \`handfast service set ${id} --profile ${gateProfileName}\` makes it one, with the names that it has`
}

/** The string stands alone on standard output, so that it can be piped into a file. */
async function printToken(id: string, news: string, options: TokenOptions): Promise<void> {
  const hub = hubOf(options)
  const view = await serviceToken(hub, { id, profile: gateProfileName, ttlSec: options.tokenTtl }).catch(
    hinted({ 'profile-not-granted': grantHint(id) }),
  )
  if (options.json) return printJson(view)
  const { gateLink, publicName } = await hub.get<HubView>('/hub')
  note(`${news} ${shortTime(view.tokenExpiresAt)}:\n`)
  printLine(view.bootstrap)
  const link = gateLink === null ? '<its gate link>' : hostAndPort({ host: publicName, port: gateLink.port })
  note(
    `\nNext, on the machine of the gate, with the string in a file that nobody else may read:\n  ${handfast} gate --hub ${shellWord(link)} --bootstrap-file <file> --database-url-file <file>`,
  )
  if (gateLink === null) {
    note('\nThis hub has no gate link yet: start it with --gate-link, as in --gate-link 0.0.0.0:8447.')
  }
}
