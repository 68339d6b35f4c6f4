/** `handfast password set`: the first password of an identity, and every one that follows. */
import type { Command } from 'commander'
import type { NewPasswordView, SetPasswordRequest } from '../../../api-schema/passwords.ts'
import { HubError } from '../../../core/errors.ts'
import { secretIn } from '../../bundle/passphrase.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson, printLine } from '../../output.ts'
import { makeSecretFile } from '../../secret-file.ts'

interface SetOptions extends HubOptions {
  readonly passwordFile?: string
  readonly out?: string
}

export function defineSet(command: Command): void {
  addHubOptions(command)
    .option('--password-file <file>', 'a password of your own; "-" reads standard input')
    .option('--out <file>', 'write the password into a new file that only you may read, instead of printing it')
    .addHelpText('after', help)
    .action(async (id: string, options: SetOptions) => {
      const { passwordFile, out } = options
      if (passwordFile !== undefined && out !== undefined) {
        throw new HubError('usage', 'a password that you bring is not written into a file', {
          hint: 'leave out --out, or leave out --password-file and let the hub make one',
        })
      }
      const password = passwordFile === undefined ? null : (await secretIn(passwordFile, 'password')).reveal()
      const view = await made(id, { password }, options)
      if (options.json) return printJson(out === undefined ? view : { ...view, text: null })
      if (view.text === null) return printLine(`${id} has the password that you brought. ${overlapNote}`)
      if (out !== undefined) return printLine(`${id} has a password; it is in ${out}. ${overlapNote}`)
      note(`The user name is ${id}. Its password, which is shown once:\n`)
      printLine(view.text)
      note(`\n${overlapNote}`)
    })
}

const overlapNote = 'The one before connects until this one was used, and a day longer.'

const help = `
It opens listeners with \`client-certificate: optional\` or \`none\` (docs/listeners.md), with the id as user name:
  mosquitto_pub -p 8884 --cafile ca.pem -u pump-7 -P <password> -i pump-7 -t devices/pump-7/up -m hello`

async function made(id: string, request: SetPasswordRequest, options: SetOptions): Promise<NewPasswordView> {
  const hub = hubOf(options)
  const path = `/identities/${pathPart(id)}/passwords`
  if (options.out === undefined) return hub.post<NewPasswordView>(path, request)
  const file = makeSecretFile(options.out)
  try {
    const view = await hub.post<NewPasswordView>(path, request)
    file.write(view.text ?? '')
    return view
  } catch (error) {
    file.giveUp()
    throw error
  }
}
