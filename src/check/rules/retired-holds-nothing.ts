import type { IdentityRule, Problem } from '../rule.ts'

export const retiredHoldsNothing: IdentityRule = {
  name: 'retired-holds-nothing',
  reason: 'retiring is final: certificates that were left would be missing in the CRL',
  *look({ id, identity, credentials, tokens }): Iterable<Problem> {
    if (identity?.state !== 'retired') return
    const living = credentials.filter(({ state }) => state !== 'revoked').length
    if (living > 0) yield { subject: id, sentence: `is retired and has ${living} certificates that are not revoked` }
    const open = tokens.filter(({ state }) => state === 'open').length
    if (open > 0) yield { subject: id, sentence: `is retired and has ${open} open tokens` }
  },
}
