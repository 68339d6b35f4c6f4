/** How keys are encrypted at rest: AES-256-GCM under a key derived once from the passphrase with scrypt (RFC 7914). */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import type { Secret } from '../core/secret.ts'

/** Parameters of the derivation as they stand in `kek.json`. */
export interface Derivation {
  /** CPU and memory cost, a power of two. */
  readonly n: number
  readonly r: number
  readonly p: number
  readonly salt: Uint8Array
}

/** Something encrypted: 12 octets of nonce, the ciphertext, 16 octets of tag. */
export type Sealed = Uint8Array

/** A new derivation: 32 MiB and 0.1 s for each guess. */
export function newDerivation(): Derivation {
  return { n: 2 ** 15, r: 8, p: 1, salt: randomBytes(16) }
}

/** False for parameters from a damaged or hostile file, which would be weak or take the memory of the machine. */
export function isSoundDerivation({ n, r, p, salt }: Derivation): boolean {
  const isPowerOfTwo = Number.isInteger(n) && n >= 2 ** 14 && n <= 2 ** 20 && (n & (n - 1)) === 0
  return isPowerOfTwo && r === 8 && Number.isInteger(p) && p >= 1 && p <= 4 && salt.length >= 16 && salt.length <= 64
}

/** The 256-bit key that encrypts keys. The passphrase is taken as NFKC, so that it types the same everywhere. */
export function deriveKey(passphrase: Secret, { n, r, p, salt }: Derivation): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: 256 * n * r }
  return new Promise((resolve, reject) => {
    scrypt(passphrase.reveal().normalize('NFKC'), salt, keyBytes, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

/** @param name what the secret is; it must be given again to open it, so that two files cannot be swapped */
export function seal(key: Uint8Array, name: string, secret: Uint8Array): Sealed {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name, 'utf8'))
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
}

/** The secret, or null where key, name or bytes are not those that it was sealed with. */
export function unseal(key: Uint8Array, name: string, sealed: Sealed): Buffer | null {
  if (sealed.length < nonceBytes + tagBytes) return null
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(name, 'utf8'))
    .setAuthTag(sealed.subarray(sealed.length - tagBytes))
  const secret = decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes))
  try {
    return Buffer.concat([secret, decipher.final()])
  } catch {
    return null
  }
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
