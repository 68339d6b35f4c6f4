/**
 * Private keys that leave: EncryptedPrivateKeyInfo (RFC 5958 §3) under PBES2 (RFC 8018 §6.2), with PBKDF2 over HMAC-SHA-256
 * and AES-256 in CBC mode. Node writes the same with 2,048 rounds; the key of a root is worth more time.
 */
import { createCipheriv, createPrivateKey, type KeyObject, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { Secret } from '../core/secret.ts'
import { derInteger, derNull, derOctetString, derOid, derSequence } from '../core/x509/der-writer.ts'
import { encodePem } from '../core/x509/pem.ts'

/** About 0.2 s for each guess; the number that OWASP names for HMAC-SHA-256 since 2023. */
const rounds = 600_000
const saltBytes = 16
const keyBytes = 32
const blockBytes = 16

/** @param passphrase taken as its octets in UTF-8, as OpenSSL takes what is typed */
export async function encryptedPem(key: KeyObject, passphrase: Secret): Promise<string> {
  const [salt, iv] = [randomBytes(saltBytes), randomBytes(blockBytes)]
  const secret = await promisify(pbkdf2)(passphrase.reveal(), salt, rounds, keyBytes, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', secret, iv)
  const sealed = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()])
  const derivation = derSequence(
    derOid('1.2.840.113549.1.5.12'), // PBKDF2
    derSequence(
      derOctetString(salt),
      derInteger(rounds),
      derInteger(keyBytes),
      derSequence(derOid('1.2.840.113549.2.9'), derNull()), // HMAC with SHA-256
    ),
  )
  const encryption = derSequence(derOid('2.16.840.1.101.3.4.1.42'), derOctetString(iv)) // AES-256 in CBC mode
  const pbes2 = derSequence(derOid('1.2.840.113549.1.5.13'), derSequence(derivation, encryption))
  return encodePem('ENCRYPTED PRIVATE KEY', derSequence(pbes2, derOctetString(sealed)))
}

/** The key, or null where it does not open with that passphrase. */
export function openPem(pem: Secret, passphrase: Secret | null): KeyObject | null {
  try {
    return createPrivateKey({ key: pem.reveal(), format: 'pem', passphrase: passphrase?.reveal() ?? '' })
  } catch {
    return null
  }
}
