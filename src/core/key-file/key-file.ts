/**
 * Private keys in PEM, in the forms that their readers know. Which reader knows which is measured in docs/certificates.md:
 * everything modern reads PKCS#8, encrypted with AES-256; mbedTLS of all versions and builds reads SEC1 and PKCS#1, encrypted
 * with AES-128 in the way of old PEM, and nothing else that is encrypted.
 */
import { createCipheriv, createHash, type KeyObject } from 'node:crypto'
import { assert } from '../errors.ts'
import { limits } from '../limits.ts'
import { Secret } from '../secret.ts'
import { derOctetString, derSequence } from '../x509/der-writer.ts'
import { encodePem } from '../x509/pem.ts'
import type { KeyPassphrase } from './passphrase.ts'
import { encryptPbes2, type RandomOctets } from './pbes2.ts'

/**
 * `pkcs8`: PKCS#8, encrypted with PBES2 (RFC 5958, RFC 8018). `traditional`: SEC1 or PKCS#1, encrypted as OpenSSL always did.
 */
export type KeyForm = 'pkcs8' | 'traditional'

/** The compatibility of a profile in terms of key files. */
export function keyFormFor(compatibility: 'modern' | 'mbedtls'): KeyForm {
  return compatibility === 'modern' ? 'pkcs8' : 'traditional'
}

/**
 * A private key in PEM.
 *
 * @param key an EC or RSA key; Ed25519 in the form `pkcs8` only
 * @param passphrase null for a file that is not encrypted
 */
export function keyFile(key: KeyObject, form: KeyForm, passphrase: KeyPassphrase | null, random: RandomOctets): Secret {
  return new Secret(form === 'pkcs8' ? pkcs8(key, passphrase, random) : traditional(key, passphrase, random))
}

/** The PrivateKeyInfo of a key in DER. */
export function privateKeyInfo(key: KeyObject): Uint8Array {
  return key.export({ type: 'pkcs8', format: 'der' })
}

function pkcs8(key: KeyObject, passphrase: KeyPassphrase | null, random: RandomOctets): string {
  const plain = privateKeyInfo(key)
  if (passphrase === null) return encodePem('PRIVATE KEY', plain)
  const iterations = limits.keyFileIterations
  const { algorithm, ciphertext } = encryptPbes2(plain, passphrase.reveal(), iterations, random)
  return encodePem('ENCRYPTED PRIVATE KEY', derSequence(algorithm, derOctetString(ciphertext)))
}

function traditional(key: KeyObject, passphrase: KeyPassphrase | null, random: RandomOctets): string {
  const type = key.asymmetricKeyType
  assert(type === 'ec' || type === 'rsa', 'only EC and RSA keys have a form of their own')
  const label = type === 'ec' ? 'EC PRIVATE KEY' : 'RSA PRIVATE KEY'
  const plain = key.export({ type: type === 'ec' ? 'sec1' : 'pkcs1', format: 'der' })
  return passphrase === null ? encodePem(label, plain) : legacyPem(label, plain, passphrase, random)
}

/**
 * The encryption of RFC 1421 as OpenSSL does it: AES-128-CBC under one MD5 of passphrase and salt. That hides a key from a look at
 * the file and from nobody who tries passphrases; it is here because some devices read nothing better.
 */
function legacyPem(label: string, plain: Uint8Array, passphrase: KeyPassphrase, random: RandomOctets): string {
  const iv = random(16)
  const key = createHash('md5').update(passphrase.reveal(), 'latin1').update(iv.subarray(0, 8)).digest()
  const cipher = createCipheriv('aes-128-cbc', key, iv)
  const [begin, ...rest] = encodePem(label, Buffer.concat([cipher.update(plain), cipher.final()])).split('\n')
  const hex = Buffer.from(iv).toString('hex').toUpperCase()
  return [begin, 'Proc-Type: 4,ENCRYPTED', `DEK-Info: AES-128-CBC,${hex}`, '', ...rest].join('\n')
}
