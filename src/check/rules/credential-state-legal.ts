import { credentialStates, revocationReasons } from '../../core/identity/credential.ts'
import { profilesOf } from '../profile-history.ts'
import type { CheckContext, CredentialRow, IdentityRule, Problem } from '../rule.ts'

export const credentialStateLegal: IdentityRule = {
  name: 'credential-state-legal',
  reason: 'a state decides who gets in, and a CRL entry needs date and reason (RFC 5280 §5.1.2.6)',
  *look({ credentials }, context): Iterable<Problem> {
    for (const row of credentials)
      for (const sentence of faultsOf(row, context)) yield { subject: row.serial_number, sentence }
  },
}

/** States of credentials that nothing has taken the place of. */
const open: ReadonlySet<CredentialRow['state']> = new Set(['intended', 'pending', 'active', 'quarantined'])

function* faultsOf(row: CredentialRow, context: CheckContext): Iterable<string> {
  const { state, profile, revoked_at_ms: revokedAt, revocation_reason: reason, activated_at_ms: activatedAt } = row
  if (!credentialStates.includes(state)) yield `is in the unknown state ${JSON.stringify(state)}`
  if (profilesOf(context, row).length === 0) yield `is of the unknown profile ${JSON.stringify(profile)}`
  if (reason !== null && !Object.hasOwn(revocationReasons, reason))
    yield `has the unknown reason ${JSON.stringify(reason)}`
  if (state === 'revoked' && (revokedAt === null || reason === null)) yield 'is revoked without a date or a reason'
  if (state !== 'revoked' && (revokedAt !== null || reason !== null))
    yield `is ${state} and has the date of a revocation`
  if (state === 'superseded' && row.superseded_at_ms === null) yield 'is superseded without a date'
  if (open.has(state) && row.superseded_at_ms !== null) yield `is ${state} and was superseded`
  if (state === 'active' && activatedAt === null) yield 'is active and was never used'
  if (state === 'pending' && activatedAt !== null) yield 'is pending and was used'
}
