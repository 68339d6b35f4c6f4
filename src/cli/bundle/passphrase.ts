/** Where the passphrase of a key file comes from: a file, standard input, the terminal, or chance. Never the command line. */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { HubError, quote } from '../../core/errors.ts'
import {
  type KeyPassphrase,
  keyPassphraseFrom,
  keyPassphraseOctets,
  parseKeyPassphrase,
} from '../../core/key-file/passphrase.ts'
import { Secret } from '../../core/secret.ts'
import { unreadable } from '../../core/unreadable.ts'
import { askSecret } from './ask-secret.ts'

export interface PassphraseOptions {
  /** "-" is standard input. */
  readonly passphraseFile?: string
  readonly askPassphrase?: boolean
}

export interface ChosenPassphrase {
  readonly passphrase: KeyPassphrase
  /** True where nobody knows it yet, so that it must be told. */
  readonly isNew: boolean
}

/**
 * The passphrase that is asked for, or null.
 *
 * @param how at the terminal: twice where it is a new one
 *
 * @throws HubError `usage`, `key-passphrase-unusable`
 */
export async function chosenPassphrase(
  options: PassphraseOptions,
  how: 'asked once' | 'asked twice' = 'asked twice',
): Promise<ChosenPassphrase | null> {
  const { passphraseFile, askPassphrase } = options
  if (passphraseFile !== undefined && askPassphrase) {
    throw new HubError('usage', 'the passphrase is asked for twice', {
      hint: 'give either --passphrase-file or --ask-passphrase',
    })
  }
  if (askPassphrase)
    return {
      passphrase: parseKeyPassphrase(
        await (how === 'asked once' ? askSecret('Passphrase of the key: ') : askedTwice()),
      ),
      isNew: false,
    }
  if (passphraseFile === undefined) return null
  return { passphrase: parseKeyPassphrase(withoutLineEnd(await textOf(passphraseFile, 'passphrase'))), isNew: false }
}

/** One that nobody knows yet. */
export function newPassphrase(): ChosenPassphrase {
  return { passphrase: keyPassphraseFrom(randomBytes(keyPassphraseOctets)), isNew: true }
}

async function askedTwice(): Promise<Secret> {
  const first = await askSecret('Passphrase for the key: ')
  const second = await askSecret('The same again: ')
  if (first.reveal() === second.reveal()) return first
  throw new HubError('key-passphrase-unusable', 'the two passphrases differ', { hint: 'run the command again' })
}

/** A passphrase has 64 characters at most; a file beyond this is another file. */
const fileBytesMax = 1_024

/** What a file is to hold, as messages call it. */
type SecretKind = 'passphrase' | 'password' | 'bootstrap'

/** The secret in a file, `-` for standard input, without the end of its line. @throws HubError `usage` */
export async function secretIn(file: string, kind: SecretKind = 'passphrase'): Promise<Secret> {
  return withoutLineEnd(await textOf(file, kind))
}

async function textOf(file: string, kind: SecretKind): Promise<Secret> {
  if (file === '-') return new Secret(await standardInput())
  try {
    const stats = statSync(file)
    // Read, so that a folder is told of as what it is.
    if (stats.isDirectory() || stats.size <= fileBytesMax) return new Secret(readFileSync(file, 'utf8'))
  } catch (error) {
    const { words, hint } = unreadable(error)
    throw new HubError('usage', `the ${kind} file ${quote(file)} ${words}`, { hint, cause: error })
  }
  if (kind === 'bootstrap') {
    throw new HubError('enrolment-bootstrap-invalid', `the file ${quote(file)} is too long for a bootstrap string`)
  }
  throw new HubError('key-passphrase-unusable', `the file ${quote(file)} is too long for a passphrase or password`)
}

async function standardInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > fileBytesMax) break
  }
  return text
}

function withoutLineEnd(text: Secret): Secret {
  return new Secret(text.reveal().replace(/\r?\n$/, ''))
}
