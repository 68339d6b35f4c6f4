/** `handfast verify add` and `verify token`: what a server needs to ask this hub about the certificates of its clients. */
import type { Command } from 'commander'
import type { IdentityView, RegisterIdentityRequest } from '../../../api-schema/identities.ts'
import { HubError } from '../../../core/errors.ts'
import { handfast } from '../../how-called.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { note, printJson, printLine, shortTime } from '../../output.ts'
import { hinted, serviceToken } from '../../service-token.ts'
import { collected } from '../../values.ts'
import { parseTtl, ttlHelp } from '../device/register.ts'

/** Name of the profile that lets a service ask. */
const verifierProfileName = 'verifier'

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
    .option('--name <dns>', 'DNS name that clients use for the server, may be repeated', collected)
    .option('--ip <address>', 'IP address that clients use for it, may be repeated', collected)
    .option('--group <group>', 'group of the service')
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .action(async (id: string, options: AddOptions) => {
      const { name = [], ip = [], group } = options
      if (name.length + ip.length === 0) {
        throw new HubError('usage', 'a server needs a name by which its clients find it', {
          hint: 'give --name shop.plant.example, or --ip, or both',
        })
      }
      const request: RegisterIdentityRequest = {
        id,
        dnsNames: [...name],
        ipAddresses: [...ip],
        profiles: [verifierProfileName],
        ...(group === undefined ? {} : { group }),
      }
      await hubOf(options)
        .post<IdentityView>('/services', request)
        .catch(hinted({ 'identity-exists': tokenHint(id) }))
      await printToken(id, `${id} may ask about certificates. This string enrols it once, until`, options)
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
  return `choose another id; if it is such a server already, \`handfast verify token ${id}\` prints another string for it`
}

function grantHint(id: string): string {
  return `it may not ask; \`handfast service set ${id} --profile ${verifierProfileName}\` lets it, with the names that it has`
}

/** The string stands alone on standard output, so that it can be piped into a file. */
async function printToken(id: string, news: string, options: TokenOptions): Promise<void> {
  const order = { id, profile: verifierProfileName, ttlSec: options.tokenTtl }
  const view = await serviceToken(hubOf(options), order).catch(hinted({ 'profile-not-granted': grantHint(id) }))
  if (options.json) return printJson(view)
  note(`${news} ${shortTime(view.tokenExpiresAt)}:\n`)
  printLine(view.bootstrap)
  note(`\nNext, on the machine of the server, with the string in a file that nobody else may read:
  ${handfast} enrol --file <file> --dir <folder>
  ${handfast} agent run --dir <folder> --proof confirm
and in the server \`verifyByHub\` of handfast/verify, which docs/verify.md shows.`)
}
