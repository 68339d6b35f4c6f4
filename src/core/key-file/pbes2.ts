/** PBES2 (RFC 8018 §6.2) with PBKDF2 on HMAC-SHA-256 and AES-256-CBC: what PKCS#8 and modern PFX are encrypted with. */
import { createCipheriv, pbkdf2Sync } from 'node:crypto'
import { derInteger, derNull, derOctetString, derOid, derSequence } from '../x509/der-writer.ts'
import { oids } from '../x509/oids.ts'

/** Something encrypted, and the AlgorithmIdentifier in DER that says how. */
export interface Encrypted {
  readonly algorithm: Uint8Array
  readonly ciphertext: Uint8Array
}

/** Random octets, as many as are asked for. */
export type RandomOctets = (count: number) => Uint8Array

/** @param iterations rounds of PBKDF2, at least 1 */
export function encryptPbes2(
  plaintext: Uint8Array,
  passphrase: string,
  iterations: number,
  random: RandomOctets,
): Encrypted {
  const salt = random(16)
  const iv = random(16)
  const cipher = createCipheriv('aes-256-cbc', pbkdf2Sync(passphrase, salt, iterations, 32, 'sha256'), iv)
  const derivation = derSequence(
    derOid(oids.pbkdf2),
    derSequence(derOctetString(salt), derInteger(iterations), derSequence(derOid(oids.hmacWithSha256), derNull())),
  )
  const scheme = derSequence(derOid(oids.aes256Cbc), derOctetString(iv))
  return {
    algorithm: derSequence(derOid(oids.pbes2), derSequence(derivation, scheme)),
    ciphertext: Buffer.concat([cipher.update(plaintext), cipher.final()]),
  }
}
