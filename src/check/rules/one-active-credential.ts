import type { IdentityRule, Problem } from '../rule.ts'

export const oneActiveCredential: IdentityRule = {
  name: 'one-active-credential',
  reason: 'the first use of a certificate supersedes the one before, so a device has one that is in use',
  *look({ id, identity, credentials }, { profiles }): Iterable<Problem> {
    // Hub processes that share a registry have a listener each, a person several machines.
    if (identity?.kind !== 'device') return
    const active = credentials.filter(({ state, profile }) => state === 'active' && profiles.get(profile)?.mayConnect)
    for (const [profile, some] of Map.groupBy(active, (row) => row.profile)) {
      if (some.length > 1) yield { subject: id, sentence: `has ${some.length} active ${profile} certificates` }
    }
  },
}
