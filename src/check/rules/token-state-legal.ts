import { tokenStates } from '../../core/identity/token.ts'
import type { IdentityRule, Problem, TokenRow } from '../rule.ts'

export const tokenStateLegal: IdentityRule = {
  name: 'token-state-legal',
  reason: 'a token is used once: which it was decides whether it opens anything',
  *look({ tokens, credentials }): Iterable<Problem> {
    const issuedFor = new Set(credentials.filter(({ state }) => given.has(state)).map((row) => row.token_id))
    for (const row of tokens) {
      for (const sentence of faultsOf(row, issuedFor.has(row.id))) yield { subject: `token ${row.id}`, sentence }
    }
  },
}

/** What was handed out for certain: what is intended, or was and has been revoked, leaves its token open. */
const given: ReadonlySet<string> = new Set(['pending', 'active', 'quarantined', 'superseded'])

function* faultsOf(
  { state, used_at_ms: usedAt, secret_hash: hash }: TokenRow,
  wasIssuedFor: boolean,
): Iterable<string> {
  if (!tokenStates.includes(state)) yield `is in the unknown state ${JSON.stringify(state)}`
  if ((state === 'used') !== (usedAt !== null))
    yield `is ${state} and ${usedAt === null ? 'has no' : 'has a'} date of use`
  if (state === 'open' && wasIssuedFor) yield 'is open, although a certificate was issued for it'
  if (hash.length !== 32) yield `has a hash of ${hash.length} octets`
}
