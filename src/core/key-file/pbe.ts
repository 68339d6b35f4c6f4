/** Reads what was encrypted under a passphrase: by the schemes of PKCS#5 and those of PKCS#12 that files are still met with. */
import { createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { limits } from '../limits.ts'
import { DerError, type DerReader, oidText, openSingle, smallInteger } from '../x509/der-reader.ts'
import { tags } from '../x509/der-tags.ts'
import { oids } from '../x509/oids.ts'
import { pkcs12Derive } from './pkcs12-kdf.ts'
import { rc2CbcDecrypt } from './rc2.ts'

/** How something was encrypted. */
export interface Encryption {
  /** As people call it, such as `PBES2 with AES-256-CBC`. */
  readonly name: string
  /** Rounds of a hash that one try of a passphrase costs; 0 where that is not known. */
  readonly rounds: number
  /** Null where it is known by name and not read. @returns null where the passphrase is wrong */
  readonly open: ((passphrase: string, ciphertext: Uint8Array) => Uint8Array | null) | null
}

/**
 * @param algorithm an AlgorithmIdentifier in DER
 * @throws DerError
 */
export function readEncryption(algorithm: Uint8Array): Encryption {
  const reader = openSingle(algorithm, tags.sequence, 'the encryption algorithm')
  const oid = oidText(reader.take(tags.oid, 'the encryption algorithm'))
  if (oid === oids.pbes2) return readPbes2(reader.enter(tags.sequence, 'the parameters of PBES2'))
  const old = pkcs12Schemes.get(oid)
  if (old !== undefined) return readPkcs12Scheme(old, reader.enter(tags.sequence, 'the parameters'))
  return { name: unreadSchemes.get(oid) ?? `the algorithm ${oid}`, rounds: 0, open: null }
}

interface Cipher {
  readonly name: string
  readonly node: string
  readonly keyBytes: number
}

const ciphers: ReadonlyMap<string, Cipher> = new Map([
  [oids.aes128Cbc, { name: 'AES-128-CBC', node: 'aes-128-cbc', keyBytes: 16 }],
  [oids.aes192Cbc, { name: 'AES-192-CBC', node: 'aes-192-cbc', keyBytes: 24 }],
  [oids.aes256Cbc, { name: 'AES-256-CBC', node: 'aes-256-cbc', keyBytes: 32 }],
  [oids.tripleDesCbc, { name: 'DES-EDE3-CBC', node: 'des-ede3-cbc', keyBytes: 24 }],
])

const hashes: ReadonlyMap<string, string> = new Map([
  [oids.hmacWithSha1, 'sha1'],
  [oids.hmacWithSha224, 'sha224'],
  [oids.hmacWithSha256, 'sha256'],
  [oids.hmacWithSha384, 'sha384'],
  [oids.hmacWithSha512, 'sha512'],
])

/** RFC 8018 §6.2. */
function readPbes2(parameters: DerReader): Encryption {
  const derivation = parameters.enter(tags.sequence, 'the key derivation')
  const function_ = oidText(derivation.take(tags.oid, 'the key derivation'))
  const scheme = parameters.enter(tags.sequence, 'the cipher')
  const cipherOid = oidText(scheme.take(tags.oid, 'the cipher'))
  const cipher = ciphers.get(cipherOid)
  const name = `PBES2 with ${cipher?.name ?? `the cipher ${cipherOid}`}`
  if (function_ === oids.scrypt) {
    const rounds = readScryptRounds(derivation.enter(tags.sequence, 'the parameters of scrypt'))
    return { name: `${name} under scrypt`, rounds, open: null }
  }
  if (function_ !== oids.pbkdf2) {
    return { name: `${name} under the key derivation ${function_}`, rounds: 0, open: null }
  }
  // OpenSSL knows more ciphers, and derives a key for them in as many rounds.
  const { salt, iterations, hash } = readPbkdf2(derivation.enter(tags.sequence, 'the parameters of PBKDF2'))
  if (cipher === undefined) return { name, rounds: iterations, open: null }
  const iv = scheme.take(tags.octetString, 'the initialization vector').content
  return {
    name,
    rounds: iterations * Math.ceil(cipher.keyBytes / hashBytes(hash)),
    open: (passphrase, ciphertext) =>
      decrypt(cipher.node, pbkdf2Sync(passphrase, salt, iterations, cipher.keyBytes, hash), iv, ciphertext),
  }
}

/** Octets that one run over all rounds gives; SHA-1 gives too few for the key of a large cipher. */
function hashBytes(hash: string): number {
  return hash === 'sha1' ? 20 : hash === 'sha224' ? 28 : 32
}

/** N × r × p (RFC 7914 §7.1): one of them takes about as long as a round of PBKDF2. @throws TooManyRounds */
function readScryptRounds(parameters: DerReader): number {
  parameters.take(tags.octetString, 'the salt')
  const factor = (what: string): number => smallInteger(parameters.take(tags.integer, what), what)
  const rounds = factor('the cost of scrypt') * factor('the block size of scrypt') * factor('the lanes of scrypt')
  if (rounds >= 1 && rounds <= limits.keyFileIterationsMax) return rounds
  throw new TooManyRounds(`scrypt with a work of ${rounds} is not 1 to ${limits.keyFileIterationsMax}`)
}

function readPbkdf2(parameters: DerReader) {
  const salt = parameters.take(tags.octetString, 'the salt').content
  const iterations = readIterations(parameters)
  parameters.takeOptional(tags.integer, 'the key length')
  const prf = parameters.takeOptional(tags.sequence, 'the hash')
  const oid =
    prf === null
      ? oids.hmacWithSha1
      : oidText(openSingle(prf.bytes, tags.sequence, 'the hash').take(tags.oid, 'the hash'))
  const hash = hashes.get(oid)
  if (hash === undefined) throw new DerError(`the hash ${oid} is unknown`)
  return { salt, iterations, hash }
}

interface Pkcs12Scheme {
  readonly name: string
  readonly keyBytes: number
  open(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | null
}

const pkcs12Schemes: ReadonlyMap<string, Pkcs12Scheme> = new Map([
  [
    oids.pbeWithSha1AndTripleDes,
    { name: 'SHA-1 and triple DES', keyBytes: 24, open: (key, iv, data) => decrypt('des-ede3-cbc', key, iv, data) },
  ],
  [
    oids.pbeWithSha1AndTwoKeyTripleDes,
    {
      name: 'SHA-1 and triple DES with two keys',
      keyBytes: 16,
      open: (key, iv, data) => decrypt('des-ede3-cbc', Buffer.concat([key, key.subarray(0, 8)]), iv, data),
    },
  ],
  [oids.pbeWithSha1AndRc2128, { name: 'SHA-1 and RC2 of 128 bits', keyBytes: 16, open: rc2CbcDecrypt }],
  [oids.pbeWithSha1AndRc240, { name: 'SHA-1 and RC2 of 40 bits', keyBytes: 5, open: rc2CbcDecrypt }],
])

const unreadSchemes: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.12.1.1', 'SHA-1 and RC4 of 128 bits'],
  ['1.2.840.113549.1.12.1.2', 'SHA-1 and RC4 of 40 bits'],
  ['1.2.840.113549.1.5.1', 'MD2 and DES'],
  ['1.2.840.113549.1.5.3', 'MD5 and DES'],
  ['1.2.840.113549.1.5.6', 'MD5 and RC2'],
  ['1.2.840.113549.1.5.10', 'SHA-1 and DES'],
  ['1.2.840.113549.1.5.11', 'SHA-1 and RC2'],
])

/** RFC 7292 appendix C. */
function readPkcs12Scheme({ name, keyBytes, open }: Pkcs12Scheme, parameters: DerReader): Encryption {
  const salt = parameters.take(tags.octetString, 'the salt').content
  const iterations = readIterations(parameters)
  return {
    name,
    // The key takes one or two runs over all rounds, the initialization vector one.
    rounds: iterations * (Math.ceil(keyBytes / 20) + 1),
    open: (passphrase, ciphertext) => {
      const derive = (purpose: 'key' | 'iv', bytes: number): Uint8Array =>
        pkcs12Derive('sha1', purpose, passphrase, salt, iterations, bytes)
      return open(derive('key', keyBytes), derive('iv', 8), ciphertext)
    },
  }
}

/** A key that asks for so much work that opening it would take minutes. */
export class TooManyRounds extends DerError {}

/** @throws TooManyRounds */
export function readIterations(parameters: DerReader): number {
  const iterations = smallInteger(parameters.take(tags.integer, 'the iterations'), 'the number of iterations')
  if (iterations >= 1 && iterations <= limits.keyFileIterationsMax) return iterations
  throw new TooManyRounds(`${iterations} iterations are not 1 to ${limits.keyFileIterationsMax}`)
}

function decrypt(cipher: string, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | null {
  try {
    const decipher = createDecipheriv(cipher, key, iv)
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch {
    return null
  }
}
