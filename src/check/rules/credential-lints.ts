import { X509Certificate } from 'node:crypto'
import { spiffeId } from '../../core/identity/id.ts'
import { contentFaultOf } from '../../core/profile/check.ts'
import { lintCertificate } from '../../core/profile/lint.ts'
import type { CertificatePlan } from '../../core/profile/lint-rule.ts'
import type { Profile } from '../../core/profile/profile.ts'
import { type CertificateFields, readCertificate } from '../../core/x509/certificate.ts'
import { profilesOf } from '../profile-history.ts'
import type { CheckContext, CredentialRow, IdentityGroup, IdentityRule, Problem } from '../rule.ts'

export const credentialLints: IdentityRule = {
  name: 'credential-lints',
  reason: 'what was ever issued keeps the rules that it was issued by, also those that came since',
  *look(group, context): Iterable<Problem> {
    for (const row of group.credentials) {
      for (const sentence of faultsOf(row, group, context)) yield { subject: row.serial_number, sentence }
    }
  },
}

function* faultsOf(row: CredentialRow, group: IdentityGroup, context: CheckContext): Iterable<string> {
  const fields = readable(row.certificate)
  // What there is not, or cannot be read, is said by other rules.
  if (fields === null) return
  let first: readonly string[] | null = null
  for (const profile of profilesOf(context, row)) {
    const plan = planOf(row, profile, fields, group, context)
    if (plan === null) return
    const faults = [...faultsBy(row, plan)]
    if (faults.length === 0) return
    first ??= faults
  }
  yield* first ?? []
}

function* faultsBy({ certificate }: CredentialRow, plan: CertificatePlan): Iterable<string> {
  for (const { rule, sentence } of lintCertificate(certificate, plan)) yield `${sentence} (${rule})`
  const fault = contentFaultOf(new X509Certificate(certificate), plan)
  if (fault !== null) yield `${fault}, as OpenSSL reads it`
}

function readable(certificate: Uint8Array): CertificateFields | null {
  try {
    new X509Certificate(certificate)
    return readCertificate(certificate)
  } catch {
    return null
  }
}

/** What is still known of what was planned. */
function planOf(
  row: CredentialRow,
  profile: Profile,
  fields: CertificateFields,
  { identity }: IdentityGroup,
  { authorities, realm }: CheckContext,
): CertificatePlan | null {
  const issuer = authorities.get(row.authority_id)?.fields ?? null
  if (issuer === null || identity === null) return null
  return {
    profile: asOrdered(profile, fields),
    issuer,
    madeAtSec: Math.floor(row.issued_at_ms / 1000),
    identity: { id: identity.id, spiffeId: realm === null ? null : spiffeId(realm, identity.kind, identity.id) },
    subject: null,
    names: null,
    status: null,
    publicKey: null,
    previousSerialNumber: null,
  }
}

/** An order may have asked for more than the profile gives by itself, within the bounds of the profile. */
function asOrdered(profile: Profile, { extendedKeyUsage }: CertificateFields): Profile {
  const allowed = [...profile.extendedKeyUsage, ...profile.optionalExtendedKeyUsage]
  const found = extendedKeyUsage ?? []
  const isWithin =
    found.every((purpose) => allowed.includes(purpose)) &&
    profile.extendedKeyUsage.every((purpose) => found.includes(purpose))
  return {
    ...profile,
    lifetimeSec: profile.lifetimeMaxSec,
    extendedKeyUsage: isWithin ? found : profile.extendedKeyUsage,
  }
}
