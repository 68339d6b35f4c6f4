/** The token of an enrolment: whose it is, and whether it still counts. */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { type Identity, identityRefusal } from '../core/identity/identity.ts'
import { type Token, tokenRefusal } from '../core/identity/token.ts'
import type { Secret } from '../core/secret.ts'
import type { Store, Transaction } from './ports/store.ts'
import { parseSecretText, secretMatches } from './secret-text.ts'

/**
 * The token that was presented. It may have expired or been used: what that means depends on the key that asks.
 *
 * @throws HubError `token-missing`, `token-invalid`, `token-revoked`
 */
export async function authenticateToken(
  hub: { readonly store: Store },
  presented: { readonly tokenText: Secret | null; readonly claimedId: string },
): Promise<Token> {
  const { tokenText, claimedId } = presented
  if (tokenText === null) throw new HubError('token-missing', 'the request carries no enrolment token')
  const parts = parseSecretText(tokenText)
  const token = parts === null ? null : await hub.store.tokens.find(parts.id)
  if (parts === null || token === null || !secretMatches(parts.secret, token.secretHash)) {
    throw new HubError('token-invalid', 'the enrolment token is not valid')
  }
  if (claimedId !== '' && claimedId !== token.identityId) {
    throw new HubError('token-invalid', `the token is not for ${quote(claimedId)}`, {
      hint: 'copy the whole bootstrap string again; a client of another kind leaves its user name empty, or gives the id that the token was made for',
    })
  }
  if (token.state === 'revoked') throw refusal('token-revoked', token)
  return token
}

/** @throws HubError `token-expired`, `token-revoked` */
export function assertTokenLives(token: Token, nowMs: number): void {
  const code = tokenRefusal(token, nowMs)
  if (code !== null) throw refusal(code, token)
}

/** @throws HubError the refusal of the identity's state */
export async function assertMayEnrol(
  store: Pick<Transaction, 'identities'> | Store,
  id: IdentityId,
): Promise<Identity> {
  const identity = await store.identities.find(id)
  const code = identity === null ? 'identity-retired' : identityRefusal(identity.state)
  if (identity !== null && code === null) return identity
  throw new HubError(code ?? 'identity-retired', `${quote(id)} may not enrol: it is ${identity?.state ?? 'gone'}`)
}

function refusal(code: NonNullable<ReturnType<typeof tokenRefusal>>, token: Token): HubError {
  const since = code === 'token-expired' ? ` at ${new Date(token.expiresAtMs).toISOString()}` : ''
  return new HubError(code, `the enrolment token for ${quote(token.identityId)} ${words[code] ?? 'is over'}${since}`)
}

const words: Readonly<Record<string, string>> = { 'token-expired': 'expired', 'token-revoked': 'was revoked' }
