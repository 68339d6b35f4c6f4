/**
 * Authority keys in a folder, encrypted at rest: `kek.json` says how the passphrase becomes a key, `<name>.key.json` holds
 * one private key each. A key that exists is never overwritten.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { chmod, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert, HubError, quote } from '../../core/errors.ts'
import { Secret } from '../../core/secret.ts'
import { writeNewDurably } from '../../disk/durable-file.ts'
import { makeFolder } from '../../disk/make-folder.ts'
import type { KeyStore, Signer } from '../../hub/ports/signer.ts'
import { type Derivation, deriveKey, isSoundDerivation, newDerivation, seal, unseal } from './key-encryption.ts'

/**
 * Opens the folder, or makes it with mode 0700. The passphrase of the first opening is the one that counts from then on.
 *
 * @throws HubError `key-passphrase-wrong`, `key-file-damaged` when `kek.json` is, or is gone while keys are there,
 *   `data-directory-unusable` when the folder cannot be used
 */
export async function openKeyFolder(options: {
  readonly folder: string
  readonly passphrase: Secret
}): Promise<KeyStore> {
  const { folder, passphrase } = options
  await prepareFolder(folder)
  const kek = (await openKek(folder, passphrase)) ?? (await makeKek(folder, passphrase))
  return {
    create: (name) => createKey(folder, kek, name),
    open: async (name) => signerOf(await readKey(folder, kek, name)),
    exportPem: async (name) => pemOf(await readKey(folder, kek, name)),
  }
}

const kekFile = 'kek.json'
const keySuffix = '.key.json'
const fileMode = 0o600

/** What a crash leaves of a file that was being written. */
const halfFile = /^\..+\.[0-9a-f]{12}\.tmp$/

/** A file of this folder is about 500 bytes long. */
const fileCharsMax = 8192

/** What `kek.json` seals under its own name, so that a wrong passphrase shows before a key is touched. */
const checkValue = Buffer.from('handfast', 'utf8')

async function prepareFolder(folder: string): Promise<void> {
  try {
    makeFolder(folder, 0o700)
    await chmod(folder, 0o700)
    for (const name of await readdir(folder)) if (halfFile.test(name)) await rm(join(folder, name), { force: true })
  } catch (cause) {
    throw new HubError('data-directory-unusable', `the key folder ${quote(folder)} cannot be used`, { cause })
  }
}

/** The key-encrypting key, or null when the folder has none yet. */
async function openKek(folder: string, passphrase: Secret): Promise<Buffer | null> {
  const text = await readOptional(folder, kekFile)
  if (text === null) {
    const names = await readdir(folder)
    if (names.some((name) => name.endsWith(keySuffix))) throw damaged(folder, kekFile, 'it is gone')
    return null
  }
  const fields = parseFile(folder, kekFile, text, ['salt', 'check'], ['n', 'r', 'p'])
  const { n = 0, r = 0, p = 0 } = fields.numbers
  const { salt = noBytes, check = noBytes } = fields.bytes
  const derivation: Derivation = { n, r, p, salt }
  if (!isSoundDerivation(derivation)) throw damaged(folder, kekFile, 'its parameters are out of range')
  const kek = await deriveKey(passphrase, derivation)
  if (unseal(kek, kekFile, check)?.equals(checkValue) === true) return kek
  throw new HubError('key-passphrase-wrong', `the passphrase does not open the keys in ${quote(folder)}`)
}

async function makeKek(folder: string, passphrase: Secret): Promise<Buffer> {
  const derivation = newDerivation()
  const kek = await deriveKey(passphrase, derivation)
  const { n, r, p, salt } = derivation
  const fields = {
    version: 1,
    kdf: 'scrypt',
    n,
    r,
    p,
    salt: base64(salt),
    check: base64(seal(kek, kekFile, checkValue)),
  }
  await writeNew(folder, kekFile, fields)
  return kek
}

async function createKey(folder: string, kek: Uint8Array, name: string): Promise<Signer> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const sealed = seal(kek, name, privateKey.export({ type: 'pkcs8', format: 'der' }))
  await writeNew(folder, keyFile(name), { version: 1, cipher: 'aes-256-gcm', key: base64(sealed) })
  return signerOf(privateKey)
}

async function readKey(folder: string, kek: Uint8Array, name: string): Promise<KeyObject> {
  const file = keyFile(name)
  const text = await readOptional(folder, file)
  if (text === null) throw damaged(folder, file, 'it is gone')
  const { key: sealed = noBytes } = parseFile(folder, file, text, ['key'], []).bytes
  const pkcs8 = unseal(kek, name, sealed)
  if (pkcs8 === null) throw damaged(folder, file, 'its bytes have changed, or it belongs to another folder or name')
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
}

function pemOf(privateKey: KeyObject): Secret {
  return new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
}

function signerOf(privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    publicKey: new Uint8Array(publicKey),
    // One signature takes 24 µs, less than the way to the thread pool and back.
    sign: async (bytes) => new Uint8Array(sign('sha256', bytes, { key: privateKey, dsaEncoding: 'der' })),
  }
}

function keyFile(name: string): string {
  assert(/^[a-z0-9-]{1,64}$/.test(name), 'a key name is 1 to 64 of a-z, 0-9 and "-"')
  return `${name}${keySuffix}`
}

async function writeNew(folder: string, file: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  try {
    writeNewDurably(join(folder, file), `${JSON.stringify(fields, null, 2)}\n`, fileMode)
  } catch (cause) {
    throw new HubError('data-directory-unusable', `${quote(join(folder, file))} cannot be written`, { cause })
  }
}

async function readOptional(folder: string, file: string): Promise<string | null> {
  try {
    return await readFile(join(folder, file), 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HubError('data-directory-unusable', `${quote(join(folder, file))} cannot be read`, { cause })
  }
}

interface FileFields {
  readonly bytes: Readonly<Record<string, Uint8Array>>
  readonly numbers: Readonly<Record<string, number>>
}

/** The fields of a file of version 1 by kind: base64 and whole numbers. Every named one is there. */
function parseFile(
  folder: string,
  file: string,
  text: string,
  bytesNames: readonly string[],
  numberNames: readonly string[],
): FileFields {
  if (text.length > fileCharsMax) throw damaged(folder, file, `it is longer than ${fileCharsMax} characters`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw damaged(folder, file, 'it is not JSON')
  }
  const fields = typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {}
  if (fields.version !== 1) throw damaged(folder, file, 'its version is not 1')
  const bytes: Record<string, Uint8Array> = {}
  for (const name of bytesNames) {
    const value = fields[name]
    if (typeof value !== 'string') throw damaged(folder, file, `${name} is missing`)
    bytes[name] = new Uint8Array(Buffer.from(value, 'base64'))
  }
  const numbers: Record<string, number> = {}
  for (const name of numberNames) {
    const value = fields[name]
    if (typeof value !== 'number') throw damaged(folder, file, `${name} is missing`)
    numbers[name] = value
  }
  return { bytes, numbers }
}

const noBytes = new Uint8Array()

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function damaged(folder: string, file: string, what: string): HubError {
  return new HubError('key-file-damaged', `the key file ${quote(join(folder, file))} cannot be used: ${what}`)
}
