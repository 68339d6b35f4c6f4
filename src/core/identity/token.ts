import type { FailureName } from '../failure/catalogue.ts'
import { Secret } from '../secret.ts'
import type { IdentityId } from './id.ts'

export const tokenStates = ['open', 'used', 'revoked'] as const
export type TokenState = (typeof tokenStates)[number]

/**
 * A one-time right to enrol, bound to an identity and a profile. Only a hash of its secret is kept. Its text is
 * `<id>.<secret>`: the id finds the row, the secret is compared in constant time.
 */
export interface Token {
  /** 16 lower-case hexadecimal characters. */
  readonly id: string
  /** SHA-256 of the secret. */
  readonly secretHash: Uint8Array
  readonly identityId: IdentityId
  readonly profile: string
  /** An operator must approve the key before it gets its certificate. */
  readonly needsApproval: boolean
  readonly state: TokenState
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly usedAtMs: number | null
}

/** The two parts of a token's text. */
export interface TokenText {
  readonly id: string
  readonly secret: Secret
}

/** The parts of a token's text, or null when it does not have the form of one. */
export function parseTokenText(text: Secret): TokenText | null {
  const match = /^([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/.exec(text.reveal())
  if (match === null) return null
  const [, id = '', secret = ''] = match
  return { id, secret: new Secret(secret) }
}

/**
 * Why an open question about a token must be answered with no, or null. A used token is not refused here: whether the
 * same answer is due again depends on the key that asks.
 */
export function tokenRefusal(token: Token, nowMs: number): FailureName | null {
  if (token.state === 'revoked') return 'token-revoked'
  if (token.state === 'open' && nowMs >= token.expiresAtMs) return 'token-expired'
  return null
}
