/** `handfast ca export-key`, `remove-key` and `import-key`: the key of a root leaves the hub, and comes back for a ceremony. */
import type { Command } from 'commander'
import type { AuthorityView, ExportedKeyView } from '../../../api-schema/authority-views.ts'
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import type { Secret } from '../../../core/secret.ts'
import { chosenPassphrase, type PassphraseOptions } from '../../bundle/passphrase.ts'
import { addHubOptions, type HubOptions, hubOf, pathPart } from '../../hub-options.ts'
import { note, printJson, printLine } from '../../output.ts'
import { readSmallFile, writeWholeFile } from '../../whole-file.ts'

interface ExportOptions extends HubOptions, PassphraseOptions {
  readonly out: string
  readonly force?: boolean
}

export function defineExportKey(command: Command): void {
  addPassphraseOptions(addHubOptions(command))
    .requiredOption('--out <file>', 'where the encrypted key goes')
    .option('--force', 'replace the file that is there')
    .action(async (id: string, options: ExportOptions) => {
      const passphrase = await thePassphrase(options, 'asked twice')
      const view = await hubOf(options).post<ExportedKeyView>(`/authorities/${pathPart(id)}/key/export`, {
        passphrase: passphrase.reveal(),
      })
      writeWholeFile(options.out, view.key, { mode: 0o600, force: options.force === true })
      if (options.json) return printJson({ id: view.id, file: options.out })
      printLine(`the key of ${view.id} is in ${options.out}, encrypted`)
      note('It is still in the hub too. Copy the file to two places that are not this machine, then take the key away:')
      note(`  npx handfast ca remove-key ${view.id} --key ${options.out}`)
    })
}

interface KeptKeyOptions extends HubOptions, PassphraseOptions {
  readonly key: string
}

export function defineRemoveKey(command: Command): void {
  addPassphraseOptions(addHubOptions(command))
    .requiredOption('--key <file>', 'what `export-key` wrote: the hub opens it before it lets go of its own')
    .addHelpText(
      'after',
      '\nThe hub goes on: a root signs only issuing authorities, roots that follow it, and its\nown CRL, which is made to last. Older backups still hold the key.',
    )
    .action(async (id: string, options: KeptKeyOptions) => {
      const view = await sendKey(id, 'remove', options)
      if (options.json) return printJson(view)
      printLine(`the key of ${view.id} is no longer in the hub`)
      note('Backups that were made before hold it still: `handfast backup` now, and destroy those.')
    })
}

export function defineImportKey(command: Command): void {
  addPassphraseOptions(addHubOptions(command))
    .requiredOption('--key <file>', 'what `export-key` wrote')
    .action(async (id: string, options: KeptKeyOptions) => {
      const view = await sendKey(id, 'import', options)
      if (options.json) return printJson(view)
      printLine(`the key of ${view.id} is in the hub`)
      note(`When the ceremony is over: npx handfast ca remove-key ${view.id} --key ${options.key}`)
    })
}

function addPassphraseOptions(command: Command): Command {
  return command.option(
    '--passphrase-file <file>',
    'the passphrase of the key; "-" for standard input, and asked for where it is left out',
  )
}

async function sendKey(id: string, act: 'remove' | 'import', options: KeptKeyOptions): Promise<AuthorityView> {
  const key = readSmallFile(options.key, limits.keyFileCharsMax)
  const passphrase = await thePassphrase(options, 'asked once')
  const request = { key, passphrase: passphrase.reveal() }
  return hubOf(options).post<AuthorityView>(`/authorities/${pathPart(id)}/key/${act}`, request)
}

async function thePassphrase(options: PassphraseOptions, how: 'asked once' | 'asked twice'): Promise<Secret> {
  const askPassphrase = options.passphraseFile === undefined
  const chosen = await chosenPassphrase({ ...options, askPassphrase }, how)
  if (chosen === null) throw new HubError('usage', 'no passphrase was given')
  return chosen.passphrase
}
