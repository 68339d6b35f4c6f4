/** `handfast backup`: a registry with its keys in one file, while the hub runs; `backup verify`: whether one is good. */

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { HubError } from '../../core/errors.ts'
import { printFindings, reportOf } from '../check-report.ts'
import { note, printJson, printLine, shortTime, warn } from '../output.ts'
import {
  addOpeningOptions,
  addPlaceOptions,
  collected,
  type OpeningOptions,
  type PlaceOptions,
  placeOf,
} from '../place-options.ts'
import { amount, byteText, rowsOf } from '../summary.ts'

interface BackupOptions extends PlaceOptions {
  readonly encryptTo?: readonly string[]
  readonly encryptPassphraseFile?: string
}

export function define(command: Command): void {
  addPlaceOptions(command.argument('<file>', 'file to write; it must not be there yet'), false)
    .option('--encrypt-to <recipient>', 'encrypt to an age public key, age1…; may be repeated', collected)
    .option('--encrypt-passphrase-file <file>', 'encrypt with the passphrase in that file')
    .action((file: string, options: BackupOptions) => backUp(file, options))
  const verify = command.command('verify').description('restore a backup aside and check the registry that it makes')
  addOpeningOptions(addPlaceOptions(verify.argument('<file>', 'backup'), false)).action(
    (file: string, options: PlaceOptions & OpeningOptions) => verifyBackup(file, { ...command.opts(), ...options }),
  )
}

async function backUp(file: string, options: BackupOptions): Promise<void> {
  const config = placeOf(options)
  const backup = await import('../../compose/backup.ts')
  const seal = await backup.sealFrom(options.encryptTo ?? [], options.encryptPassphraseFile ?? null)
  const path = resolve(file)
  const { manifest, bytes, rows } = await backup.backUp(config, path, seal)
  if (options.json) {
    return printJson({ file: path, bytes, encrypted: seal !== null, ...manifest, rows: Object.fromEntries(rows) })
  }
  printLine(`${file}: ${rowsOf(rows)}, ${byteText(bytes)}, read back whole`)
  if (seal === null && manifest.holdsPassphrase) {
    warn('the backup holds the keys of the authority with their passphrase and is not encrypted: whoever reads it can')
    warn('make any device. Encrypt it with --encrypt-to or --encrypt-passphrase-file, or keep it as you keep the hub')
  }
  if (!manifest.holdsPassphrase) note('The passphrase of the authority keys is not in it: keep that as well.')
}

async function verifyBackup(file: string, options: PlaceOptions & OpeningOptions): Promise<void> {
  const config = placeOf(options)
  const backup = await import('../../compose/backup.ts')
  const keyring = await backup.keyringFrom(options.identity ?? [], options.decryptPassphraseFile ?? null)
  const { manifest, rows, report } = await backup.verifyBackup(
    resolve(file),
    keyring,
    await backup.givenPassphrase(config),
  )
  const problems = report.findings.length
  if (options.json)
    printJson({ file: resolve(file), ...manifest, rows: Object.fromEntries(rows), check: reportOf(report) })
  else {
    printLine(`${file}: ${rowsOf(rows)}, made at ${shortTime(manifest.createdAt)} by Handfast ${manifest.createdBy}`)
    printFindings(report)
  }
  if (problems > 0)
    throw new HubError('registry-inconsistent', `the backup restores to a registry with ${amount(problems, 'problem')}`)
}
