/** `handfast agent import`: takes a certificate and its key from files into the credential store, and removes the files. */
import { statSync } from 'node:fs'
import type { Command } from 'commander'
import { HubError, quote } from '../../../core/errors.ts'
import type { BroughtPaths } from '../../../device/import/brought-files.ts'
import type { ImportResult } from '../../../device/import/import-credential.ts'
import type { CredentialStore } from '../../../device/store/credential.ts'
import { note, printFields, printJson, printLine, shortTime, warn } from '../../output.ts'

interface ImportFlags {
  readonly dir: string
  readonly cert?: string
  readonly key?: string
  readonly pass?: string
  readonly ca?: string
  readonly anyIssuer?: boolean
  readonly keep?: boolean
  readonly keyPassphraseFile?: string
  readonly json?: boolean
}

export function defineImport(command: Command): void {
  command
    .argument('[folder]', 'folder with client_cert.pem, private_key.pem, private_key_pass.txt and ca.pem')
    .requiredOption('--dir <dir>', 'folder of the credential store; it is made if it is not there')
    .option('--cert <file>', 'file with the certificate and those that issued it, or a PFX')
    .option('--key <file>', 'file with the private key')
    .option('--pass <file>', 'file with the passphrase of the key or of the PFX')
    .option('--ca <file>', 'roots that servers are verified with')
    .option('--any-issuer', 'take a certificate that leads to none of the roots that come with it')
    .option('--keep', 'leave the files where they are')
    .option('--key-passphrase-file <file>', 'encrypt the keys in the store with the passphrase in this file')
    .option('--json', 'print JSON')
    .addHelpText('after', formsHelp)
    .action(async (folder: string | undefined, flags: ImportFlags) => {
      const [{ broughtIn }, { importCredential }, { openCredentialStore }] = await Promise.all([
        import('../../../device/import/brought-files.ts'),
        import('../../../device/import/import-credential.ts'),
        import('../../../device/store/open.ts'),
      ])
      const paths = folder === undefined ? named(flags) : found(folder, flags, broughtIn)
      const { dir, keyPassphraseFile: passphraseFile, anyIssuer = false, keep = false } = flags
      const store = openCredentialStore(dir, {
        onNotice: warn,
        ...(passphraseFile === undefined ? {} : { passphraseFile }),
      })
      const result = importCredential(store, paths, { nowMs: Date.now(), isAnyIssuer: anyIssuer, isKept: keep })
      for (const each of result.notes) note(each)
      for (const path of result.remaining) warn(`${path} could not be removed and may still hold the key`)
      if (flags.json) printJson(result)
      else print(result, store)
    })
}

const formsHelp = `
Certificates are read as PEM, DER, PKCS#7 and PFX; keys as PKCS#8, PKCS#1 and SEC1
in PEM or DER, encrypted or not; text also as UTF-16, with a byte order mark or CRLF.

The files are checked first: the key opens and belongs to the certificate, which is
in date and leads to the roots that came with it. Then they are moved into the store,
overwritten and removed. Certificate and key that are both empty clear the store;
nothing else deletes a credential.`

function named({ cert, key, pass, ca }: ImportFlags): BroughtPaths {
  if (cert === undefined && key === undefined) {
    throw new HubError('usage', 'nothing to import is named', {
      hint: 'give a folder with client_cert.pem and private_key.pem, or --cert and --key',
    })
  }
  return { certificate: cert ?? null, key: key ?? null, passphrase: pass ?? null, ca: ca ?? null, isFound: false }
}

function found(
  folder: string,
  { cert, key, pass, ca }: ImportFlags,
  broughtIn: (folder: string) => BroughtPaths | null,
): BroughtPaths {
  if ([cert, key, pass, ca].some((each) => each !== undefined)) {
    throw new HubError('usage', 'a folder and single files are named at once', {
      hint: 'give either the folder or --cert, --key, --pass and --ca',
    })
  }
  const paths = broughtIn(folder)
  if (paths !== null) return paths
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  throw new HubError(
    'import-incomplete',
    isFolder
      ? `${quote(folder)} holds neither client_cert.pem, client_cert.pfx nor private_key.pem`
      : `there is no folder ${quote(folder)}`,
  )
}

const headings = {
  imported: (subject: string, until: string) => `the certificate of ${subject} is in use, until ${until}`,
  present: (subject: string, until: string) => `the certificate of ${subject} was in use already, until ${until}`,
  cleared: () => 'the files were empty: the store holds no credential any more',
} as const

function print(result: ImportResult, { files }: CredentialStore): void {
  const { outcome, subject, notAfter, hub, roots, removed } = result
  printLine(headings[outcome](subject, outcome === 'cleared' ? '' : shortTime(notAfter)))
  const place = [
    ['key', files.key],
    ['certificate', files.certificate],
    ...(roots === 0 ? [] : [['CA', files.ca] as const]),
    ...(hub === null ? [] : [['hub', hub] as const]),
  ] as const
  printFields([
    ...(outcome === 'cleared' ? [] : place),
    ...removed.map((path, i) => [i === 0 ? 'removed' : '', path] as const),
  ])
}
