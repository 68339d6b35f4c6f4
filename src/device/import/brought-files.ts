/** The files in which somebody brings a credential: found in a folder by their names, or named. */
import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { HubError } from '../../core/errors.ts'
import { type BroughtFile, unreadable } from '../../core/key-file/key-reader.ts'
import { textOfFile } from '../../core/key-file/text-of-file.ts'
import { Secret } from '../../core/secret.ts'
import { deviceLimits } from '../limits.ts'

/** Paths of what is brought; null where there is none. */
export interface BroughtPaths {
  /** One certificate or several, or a PFX with the key. */
  readonly certificate: string | null
  readonly key: string | null
  /** The passphrase of the key or of the PFX, in a line. */
  readonly passphrase: string | null
  /** What servers are to be verified with. */
  readonly ca: string | null
  /** Whether they were found in a folder by their names. */
  readonly isFound: boolean
}

/** The names by which files are found: those of Meadow, and a PFX in the place of the certificate. */
export const broughtNames = {
  certificate: ['client_cert.pem', 'client_cert.pfx', 'client_cert.p12'],
  key: ['private_key.pem'],
  passphrase: ['private_key_pass.txt'],
  ca: ['ca.pem'],
} as const

/**
 * What lies in a folder under these names; null where there is neither a certificate nor a key.
 *
 * @throws HubError `credential-file-unreadable` where it is a file, or closed to this user
 */
export function broughtIn(folder: string): BroughtPaths | null {
  const find = (names: readonly string[]): string | null =>
    names.map((name) => join(resolve(folder), name)).find((path) => isThere(path)) ?? null
  const [certificate, key] = [find(broughtNames.certificate), find(broughtNames.key)]
  if (certificate === null && key === null) return null
  return { certificate, key, passphrase: find(broughtNames.passphrase), ca: find(broughtNames.ca), isFound: true }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    const folder = { name: dirname(path), bytes: new Uint8Array() }
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR') throw unreadable(folder, 'is no folder', 'name single files with --cert and --key')
    throw unreadable(folder, reasons.get(code ?? '') ?? `cannot be read (${code})`, 'check its path, owner and mode')
  }
}

/**
 * @throws HubError `credential-file-unreadable` where it is missing, no file, closed to this user or too large, or a file of the
 *   store itself
 */
export function readBrought(path: string, storePath: string): BroughtFile {
  const file = { name: path, bytes: new Uint8Array() }
  try {
    const real = realpathSync(path)
    // The path of the store may lead through links as well, and the store need not be there yet.
    const store = existsSync(storePath) ? realpathSync(storePath) : null
    if (store !== null && real.startsWith(`${store}${sep}`)) {
      throw unreadable(file, 'is a file of the credential store itself', 'bring the new files in another folder')
    }
    // A pipe would be waited for, for ever, by an agent that starts.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = fstatSync(descriptor)
      if (!stats.isFile()) {
        throw unreadable(file, stats.isDirectory() ? 'is a folder' : 'is no file', 'name the file itself')
      }
      const { size } = stats
      if (size <= deviceLimits.fileBytesMax) return { name: path, bytes: readFileSync(descriptor) }
      throw unreadable(file, `is larger than ${deviceLimits.fileBytesMax} bytes`, 'it is another file')
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if (error instanceof HubError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw unreadable(file, reasons.get(code ?? '') ?? `cannot be read (${code})`, 'check its path, owner and mode')
  }
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'is not there'],
  ['EISDIR', 'is a folder'],
  ['EACCES', 'may not be read by this user'],
])

/**
 * The passphrase in a file, without the end of its line and what editors put in front.
 *
 * @returns null where the file is empty
 * @throws HubError `credential-file-unreadable`
 */
export function passphraseIn(file: BroughtFile): Secret | null {
  const text = textOfFile(file.bytes)
  if (text === null) throw unreadable(file, 'is no text, and a passphrase is one line of it', '')
  const line = text.replace(/^\ufeff/, '').replace(/[\r\n]+$/, '')
  if (/[\r\n]/.test(line))
    throw unreadable(file, 'has several lines, and a passphrase is one', 'leave the passphrase alone in it')
  return line === '' ? null : new Secret(line)
}
