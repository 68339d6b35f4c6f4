/** `handfast key add`: a key for a person, a script or an enrolment station. */
import type { Command } from 'commander'
import type { AddKeyRequest, NewApiKeyView } from '../../../api-schema/access.ts'
import { grantText } from '../../../core/authorisation/role.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { note, printJson, printLine, shortTime } from '../../output.ts'
import { addRegisterOption, addRoleOptions, grantOf, type RoleOptions } from '../../role-options.ts'
import { makeSecretFile } from '../../secret-file.ts'
import { duration } from '../../values.ts'

interface AddOptions extends HubOptions, RoleOptions {
  readonly expires?: number
  readonly out?: string
}

/** The same bounds as in api-schema/access.ts. */
const parseExpires = duration('--expires', '60s', '3650d')

export function defineAdd(command: Command): void {
  addRegisterOption(addRoleOptions(addHubOptions(command)))
    .option('--expires <duration>', 'how long the key is good: 8h, 30d (default: until it is removed)', parseExpires)
    .option('--out <file>', 'write the key into a new file that only you may read, instead of printing it')
    .addHelpText('after', help)
    .action(async (name: string, options: AddOptions) => {
      const request: AddKeyRequest = { name, ...grantOf(options), lifetimeSec: options.expires ?? null }
      const view = await made(request, options)
      const { key } = view
      if (options.json) {
        const { secret: _written, ...rest } = view
        return printJson(options.out === undefined ? view : rest)
      }
      const until = key.expiresAt === null ? '' : `, until ${shortTime(key.expiresAt)}`
      if (options.out !== undefined) {
        return printLine(`${key.name} is ${grantText(key)}${until}; its key is in ${options.out}`)
      }
      note(`${key.name} is ${grantText(key)}${until}. Its key, which is shown once:\n`)
      printLine(view.secret)
      note('\nIt opens the API as HANDFAST_KEY, with HANDFAST_URL and HANDFAST_CA beside it.')
    })
}

const help = `
An enrolment station that registers devices of one line and asks for their tokens:
  handfast key add station-2 --role requester --group line-2 --register --out station-2.key
docs/roles.md says what each role may do.`

async function made(request: AddKeyRequest, options: AddOptions): Promise<NewApiKeyView> {
  const hub = hubOf(options)
  if (options.out === undefined) return hub.post<NewApiKeyView>('/keys', request)
  const file = makeSecretFile(options.out)
  try {
    const view = await hub.post<NewApiKeyView>('/keys', request)
    file.write(view.secret)
    return view
  } catch (error) {
    file.giveUp()
    throw error
  }
}
