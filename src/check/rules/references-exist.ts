import type { IdentityRule, Problem } from '../rule.ts'

export const referencesExist: IdentityRule = {
  name: 'references-exist',
  reason: 'what belongs to nobody can be neither listed nor revoked',
  *look({ id, identity, credentials, tokens, adoption }): Iterable<Problem> {
    if (identity !== null) return
    const parts = [
      ...(credentials.length === 0 ? [] : [`${credentials.length} certificates`]),
      ...(tokens.length === 0 ? [] : [`${tokens.length} tokens`]),
      ...(adoption === null ? [] : ['an adoption']),
    ]
    yield { subject: id, sentence: `is not there, although ${parts.join(' and ')} belong to it` }
  },
}
