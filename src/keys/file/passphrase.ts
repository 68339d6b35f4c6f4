import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { HubError, quote } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { writeNewDurably } from '../../disk/durable-file.ts'

/** Where a passphrase comes from: a file, the value itself, or null for a generated key file. */
export type PassphraseSource = { readonly file: string } | { readonly value: Secret } | null

/** A passphrase longer than this is a wrong file. */
const passphraseCharsMax = 4096

/**
 * The passphrase of the authority keys. One line feed at the end of a file does not count.
 *
 * @param generatedFile where the generated passphrase is kept, mode 0600; it is made, and on disk, at the first use
 * @throws HubError `config-invalid` for a given passphrase that cannot be read, is empty or longer than 4096 characters,
 *   `data-directory-unusable` where the generated file cannot be read or written
 */
export async function readPassphrase(source: PassphraseSource, generatedFile: string): Promise<Secret> {
  if (source === null) return readGenerated(generatedFile)
  if ('value' in source) return checked(source.value, 'the passphrase')
  try {
    return checked(await readPassphraseFile(source.file), `the passphrase file ${quote(source.file)}`)
  } catch (cause) {
    if (cause instanceof HubError) throw cause
    throw new HubError('config-invalid', `the passphrase file ${quote(source.file)} cannot be read`, {
      hint: 'check its path and that this user may read it',
      cause,
    })
  }
}

async function readGenerated(path: string): Promise<Secret> {
  try {
    const kept = await readPassphraseFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (kept !== null) return checked(kept, `the passphrase file ${quote(path)}`)
    const generated = randomBytes(32).toString('base64url')
    writeNewDurably(path, `${generated}\n`, 0o600)
    return new Secret(generated)
  } catch (cause) {
    if (cause instanceof HubError) throw cause
    throw new HubError('data-directory-unusable', `the passphrase file ${quote(path)} cannot be used`, { cause })
  }
}

async function readPassphraseFile(path: string): Promise<Secret> {
  return new Secret((await readFile(path, 'utf8')).replace(/\r?\n$/, ''))
}

function checked(passphrase: Secret, what: string): Secret {
  if (passphrase.length > 0 && passphrase.length <= passphraseCharsMax) return passphrase
  const fault = passphrase.length === 0 ? 'is empty' : `is longer than ${passphraseCharsMax} characters`
  throw new HubError('config-invalid', `${what} ${fault}`, {
    hint: `give a passphrase of 1 to ${passphraseCharsMax} characters`,
  })
}
