/**
 * Authority keys, encrypted at rest: `kek.json` says how the passphrase becomes a key, `<name>.key.json` holds one private key
 * each. A key that exists is never overwritten.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { assert, HubError, quote } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { algorithmFor } from '../core/x509/algorithms.ts'
import type { AuthorityKeyType } from '../core/x509/authority-key.ts'
import type { KeyStore, Signer } from '../hub/ports/signer.ts'
import { encryptedPem, openPem } from './encrypted-key.ts'
import { type Derivation, deriveKey, isSoundDerivation, newDerivation, seal, unseal } from './key-encryption.ts'
import type { SealedFiles } from './sealed-files.ts'

/**
 * Opens the keys of a place. The passphrase of the first opening is the one that counts from then on.
 *
 * @throws HubError `key-passphrase-wrong`, `key-file-damaged` when `kek.json` is, or is gone while keys are there, and what
 *   the place throws
 */
export async function openKeyRing(files: SealedFiles, passphrase: Secret): Promise<KeyStore> {
  const kek = (await openKek(files, passphrase)) ?? (await makeKek(files, passphrase))
  return {
    create: async (name, type = 'P-256') => keepKey(files, kek, name, await makeKey(type)),
    has: async (name) => (await files.read(keyFile(name))) !== null,
    open: async (name) => signerOf(await readKey(files, kek, name)),
    exportPem: async (name) => pemOf(await readKey(files, kek, name)),
    exportEncrypted: async (name, given) => encryptedPem(await readKey(files, kek, name), given),
    importPem: async (name, pem, given, publicKey) => keepKey(files, kek, name, importedKey(pem, given, publicKey)),
    async assertOpens(pem, given, publicKey) {
      importedKey(pem, given, publicKey)
    },
    remove: (name) => removeKey(files, name),
  }
}

const kekFile = 'kek.json'
const keySuffix = '.key.json'

/** A file is about 500 characters long, 3,300 for the longest key. */
const fileCharsMax = 8192

/** What `kek.json` seals under its own name, so that a wrong passphrase shows before a key is touched. */
const checkValue = Buffer.from('handfast', 'utf8')

/** The key-encrypting key, or null when the folder has none yet. */
async function openKek(files: SealedFiles, passphrase: Secret): Promise<Buffer | null> {
  const text = await files.read(kekFile)
  if (text === null) {
    const names = await files.names()
    if (names.some((name) => name.endsWith(keySuffix))) throw damaged(files, kekFile, 'it is gone')
    return null
  }
  const fields = parseFile(files, kekFile, text, ['salt', 'check'], ['n', 'r', 'p'])
  const { n = 0, r = 0, p = 0 } = fields.numbers
  const { salt = noBytes, check = noBytes } = fields.bytes
  const derivation: Derivation = { n, r, p, salt }
  if (!isSoundDerivation(derivation)) throw damaged(files, kekFile, 'its parameters are out of range')
  const kek = await deriveKey(passphrase, derivation)
  if (unseal(kek, kekFile, check)?.equals(checkValue) === true) return kek
  throw new HubError('key-passphrase-wrong', `the passphrase does not open the keys in ${files.place}`)
}

async function makeKek(files: SealedFiles, passphrase: Secret): Promise<Buffer> {
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
  if (await files.writeNew(kekFile, textOf(fields))) return kek
  // Another process has begun at the same moment and was first.
  const theirs = await openKek(files, passphrase)
  assert(theirs !== null, 'a key ring that was just made is gone')
  return theirs
}

/** RSA takes a second or more, on a thread of the pool. */
async function makeKey(type: AuthorityKeyType): Promise<KeyObject> {
  const generate = promisify(generateKeyPair)
  switch (type) {
    case 'P-256':
    case 'P-384':
      return (await generate('ec', { namedCurve: type })).privateKey
    case 'Ed25519':
      return (await generate('ed25519')).privateKey
    default:
      return (await generate('rsa', { modulusLength: Number(type.slice('RSA-'.length)) })).privateKey
  }
}

async function keepKey(files: SealedFiles, kek: Uint8Array, name: string, privateKey: KeyObject): Promise<Signer> {
  const sealed = seal(kek, name, privateKey.export({ type: 'pkcs8', format: 'der' }))
  const file = keyFile(name)
  const fields = { version: 1, cipher: 'aes-256-gcm', key: base64(sealed) }
  if (await files.writeNew(file, textOf(fields))) return signerOf(privateKey)
  throw new HubError('data-directory-unusable', `there is a key file ${quote(file)} in ${files.place} already`)
}

function importedKey(pem: Secret, passphrase: Secret | null, publicKey: Uint8Array): KeyObject {
  const key = openPem(pem, passphrase)
  if (key === null) {
    throw new HubError(
      'key-import-refused',
      'the key cannot be read: it is no private key in PEM, or of another passphrase',
    )
  }
  if (Buffer.compare(spkiOf(key), publicKey) === 0) return key
  throw new HubError('key-import-refused', 'the key does not belong to the certificate of the authority')
}

async function removeKey(files: SealedFiles, name: string): Promise<void> {
  const file = keyFile(name)
  await files.remove(file)
  if ((await files.read(file)) !== null || (await files.names()).includes(file)) {
    throw new HubError('data-directory-unusable', `the key file ${quote(file)} is still in ${files.place}`)
  }
}

async function readKey(files: SealedFiles, kek: Uint8Array, name: string): Promise<KeyObject> {
  const file = keyFile(name)
  const text = await files.read(file)
  if (text === null) throw damaged(files, file, 'it is gone')
  const { key: sealed = noBytes } = parseFile(files, file, text, ['key'], []).bytes
  const pkcs8 = unseal(kek, name, sealed)
  if (pkcs8 === null) throw damaged(files, file, 'its bytes have changed, or it belongs to another folder or name')
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
}

function pemOf(privateKey: KeyObject): Secret {
  return new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
}

function spkiOf(privateKey: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }))
}

function signerOf(privateKey: KeyObject): Signer {
  const publicKey = spkiOf(privateKey)
  // One signature on P-256 or with Ed25519 takes 24 µs, less than the way to the thread pool and back; RSA takes a millisecond.
  const isFast =
    privateKey.asymmetricKeyType === 'ed25519' || privateKey.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  const hashFor = (bytes: Uint8Array) => algorithmFor(bytes, publicKey).hash
  if (isFast) return { publicKey, sign: async (bytes) => new Uint8Array(sign(hashFor(bytes), bytes, privateKey)) }
  return {
    publicKey,
    sign: (bytes) =>
      new Promise((resolve, reject) => {
        sign(hashFor(bytes), bytes, privateKey, (error, signature) => {
          if (error === null) resolve(new Uint8Array(signature))
          else reject(error)
        })
      }),
  }
}

function keyFile(name: string): string {
  assert(/^[a-z0-9-]{1,64}$/.test(name), 'a key name is 1 to 64 of a-z, 0-9 and "-"')
  return `${name}${keySuffix}`
}

function textOf(fields: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(fields, null, 2)}\n`
}

interface FileFields {
  readonly bytes: Readonly<Record<string, Uint8Array>>
  readonly numbers: Readonly<Record<string, number>>
}

/** The fields of a file of version 1 by kind: base64 and whole numbers. Every named one is there. */
function parseFile(
  files: SealedFiles,
  file: string,
  text: string,
  bytesNames: readonly string[],
  numberNames: readonly string[],
): FileFields {
  if (text.length > fileCharsMax) throw damaged(files, file, `it is longer than ${fileCharsMax} characters`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw damaged(files, file, 'it is not JSON')
  }
  const fields = typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {}
  if (fields.version !== 1) throw damaged(files, file, 'its version is not 1')
  const bytes: Record<string, Uint8Array> = {}
  for (const name of bytesNames) {
    const value = fields[name]
    if (typeof value !== 'string') throw damaged(files, file, `${name} is missing`)
    bytes[name] = new Uint8Array(Buffer.from(value, 'base64'))
  }
  const numbers: Record<string, number> = {}
  for (const name of numberNames) {
    const value = fields[name]
    if (typeof value !== 'number') throw damaged(files, file, `${name} is missing`)
    numbers[name] = value
  }
  return { bytes, numbers }
}

const noBytes = new Uint8Array()

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function damaged(files: SealedFiles, file: string, what: string): HubError {
  return new HubError('key-file-damaged', `the key file ${quote(file)} in ${files.place} cannot be used: ${what}`)
}
