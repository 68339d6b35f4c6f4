/**
 * Secrets that people and devices carry as text: enrolment tokens and API keys. The text is `<id>.<secret>`; only a hash
 * of the secret is kept.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { parseTokenText, type TokenText } from '../core/identity/token.ts'
import { Secret } from '../core/secret.ts'
import type { Random } from './ports/random.ts'

export interface NewSecret {
  /** 16 lower-case hexadecimal characters; not secret. */
  readonly id: string
  /** SHA-256 of the secret: it has 256 bits of entropy, so a slow hash would add nothing. */
  readonly secretHash: Uint8Array
  /** The whole text. */
  readonly text: Secret
}

export function newSecret(random: Random): NewSecret {
  const id = Buffer.from(random.bytes(8)).toString('hex')
  const secret = Buffer.from(random.bytes(32)).toString('base64url')
  return { id, secretHash: hashOf(secret), text: new Secret(`${id}.${secret}`) }
}

/** The parts of a presented text, or null when it cannot be one of ours. */
export const parseSecretText: (text: Secret) => TokenText | null = parseTokenText

/** Compares in constant time. */
export function secretMatches(secret: Secret, secretHash: Uint8Array): boolean {
  const hash = hashOf(secret.reveal())
  return hash.length === secretHash.length && timingSafeEqual(hash, secretHash)
}

function hashOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest()
}
