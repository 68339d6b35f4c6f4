import { builtInProfile } from '../../core/profile/built-in.ts'
import { lintCertificate } from '../../core/profile/lint.ts'
import { isSameName } from '../../core/x509/name.ts'
import type { CheckContext, CheckedAuthority, Problem, RegistryRule } from '../rule.ts'

export const authorityLints: RegistryRule = {
  name: 'authority-lints',
  reason: 'an authority that breaks a rule takes everything below it along',
  canLook: () => true,
  async *look(context): AsyncIterable<Problem> {
    for (const authority of context.authorities.values()) {
      for (const sentence of faultsOf(authority, context)) yield { subject: authority.id, sentence }
    }
  },
}

function faultsOf(
  { role, parentId, createdAtMs, der, fields }: CheckedAuthority,
  { authorities }: CheckContext,
): string[] {
  const profile = builtInProfile(role)
  if (profile === null || fields === null) return []
  const issuer = parentId === null ? null : (authorities.get(parentId)?.fields ?? null)
  // Who stands below somebody else's root is judged by them.
  if (issuer === null && !isSameName(fields.issuer.der, fields.subject.der)) return []
  const plan = {
    ...{
      profile,
      issuer,
      madeAtSec: madeAtSec(Math.floor(createdAtMs / 1000), fields.notBeforeSec + profile.backdateSec),
      identity: null,
      subject: null,
      names: null,
    },
    ...{ status: null, publicKey: null, previousSerialNumber: null },
  }
  return lintCertificate(der, plan).map(({ rule, sentence }) => `${sentence} (${rule})`)
}

/** Authorities of one act share its time, and the keys of the first ones take a while to be made. */
function madeAtSec(createdAtSec: number, fromCertificateSec: number): number {
  const isOfOneAct = Math.abs(fromCertificateSec - createdAtSec) <= 300
  return isOfOneAct ? fromCertificateSec : createdAtSec
}
