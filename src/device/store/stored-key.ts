/** The file of a private key: readable by its owner alone, and encrypted where he has a passphrase for it. */
import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto'
import { existsSync, linkSync, lstatSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { keyFile } from '../../core/key-file/key-file.ts'
import { type KeyPassphrase, parseKeyPassphrase } from '../../core/key-file/passphrase.ts'
import { Secret } from '../../core/secret.ts'
import { writeDurably } from '../../disk/durable-file.ts'
import { eraseDurably } from '../../disk/erase.ts'
import { assertPrivate, type Places, readSmall } from './places.ts'

/** On disk when it returns. @param passphrase null for a key that is not encrypted */
export function writeKey(path: string, keyPem: Secret, passphrase: KeyPassphrase | null): void {
  writeDurably(path, keyText(keyPem, passphrase), 0o600)
}

/** What stands in the file of a key. @param passphrase null for a key that is not encrypted */
export function keyText(keyPem: Secret, passphrase: KeyPassphrase | null): string {
  const text = passphrase === null ? keyPem : keyFile(keyObject(keyPem), 'pkcs8', passphrase, randomBytes)
  return text.reveal()
}

/** A key as its file holds it. */
export interface StoredKey {
  readonly key: KeyObject
  /** In PEM, unencrypted: as it stands in the file, or PKCS#8. */
  readonly pem: Secret
}

/**
 * A key that is whole, or null.
 *
 * @param passphraseOf asked for where the key is encrypted; null where nobody knows one
 * @throws HubError `store-unwritable` where others can read it
 */
export function readKey(path: string, passphraseOf: () => KeyPassphrase | null): StoredKey | null {
  const text = readSmall(path)
  if (text === null) return null
  assertPrivate(path)
  const isEncrypted = /^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text)
  const passphrase = isEncrypted ? passphraseOf() : null
  try {
    if (!isEncrypted) return { key: createPrivateKey(text), pem: new Secret(text) }
    if (passphrase === null) return null
    const key = createPrivateKey({ key: text, passphrase: passphrase.reveal() })
    return { key, pem: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()) }
  } catch {
    return null
  }
}

/** The key of a text in PEM that is not encrypted. @throws Error when it is no such key */
export function keyObject(pem: Secret): KeyObject {
  return createPrivateKey(pem.reveal())
}

/** Encrypts a key file that is not; what it held is overwritten. */
export function encryptKeyFile(path: string, passphrase: KeyPassphrase): void {
  const text = readSmall(path)
  const stored = text === null || !isPlainKey(text) ? null : readKey(path, () => null)
  if (stored === null) return
  const old = join(dirname(path), '.private_key.old.000000000000.tmp')
  if (!existsSync(old)) linkSync(path, old)
  writeKey(path, stored.pem, passphrase)
  eraseDurably(old)
}

/** Whether a key file needs no passphrase. */
export function isPlainKey(text: string): boolean {
  return /^-----BEGIN (EC |RSA )?PRIVATE KEY-----/m.test(text) && !/^Proc-Type: 4,ENCRYPTED/m.test(text)
}

/** Whether the keys of a store are to be encrypted: its owner has named the file of a passphrase, which may be missing now. */
export function isEncrypting({ passphrase }: Places): boolean {
  return lstatSync(passphrase, { throwIfNoEntry: false }) !== undefined
}

/**
 * The passphrase in the owner's file.
 *
 * @throws HubError `key-passphrase-unusable` where it is missing, open to others or not what a passphrase can be
 */
export function readPassphrase(path: string): KeyPassphrase {
  const unusable = (reason: string, hint: string): HubError =>
    new HubError('key-passphrase-unusable', `the passphrase file ${quote(path)} ${reason}`, { hint })
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw unusable('is a folder', 'name the file itself')
  const text = readSmall(path)
  if (text === null) throw unusable('is missing', 'put it back: the keys of this device cannot be read without it')
  const { mode } = statSync(path)
  if ((mode & 0o077) !== 0) throw unusable('can be read by other users', `chmod 0600 ${path}`)
  return parseKeyPassphrase(new Secret(text.replace(/^\ufeff/, '').replace(/[\r\n]+$/, '')))
}
