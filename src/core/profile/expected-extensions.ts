/** Which extensions a certificate of a profile has, and whether each is critical. */
import type { CertificateFields } from '../x509/certificate.ts'
import { emptyName, isSameName } from '../x509/name.ts'
import { oids } from '../x509/oids.ts'
import type { CertificatePlan } from './lint-rule.ts'

export interface ExpectedExtension {
  readonly critical: boolean
  readonly isRequired: boolean
}

/** By object identifier. */
export function expectedExtensions(
  { profile, issuer, identity, names, status }: CertificatePlan,
  { subject }: Pick<CertificateFields, 'subject'>,
): ReadonlyMap<string, ExpectedExtension> {
  const expected = new Map<string, ExpectedExtension>()
  const expect = (oid: string, critical: boolean, isRequired = true) => expected.set(oid, { critical, isRequired })

  expect(oids.keyUsage, true)
  expect(oids.subjectKeyIdentifier, false)
  expect(oids.authorityKeyIdentifier, false, issuer !== null)
  if (profile.pathLength !== null) expect(oids.basicConstraints, true)
  if (profile.extendedKeyUsage.length > 0) expect(oids.extendedKeyUsage, false)
  if (identity !== null || names !== null) {
    expect(oids.subjectAltName, isSameName(subject.der, emptyName), identity?.spiffeId != null)
  }
  // The status of who answers for the status of others is not asked for (RFC 6960 §4.2.2.2.1).
  if (profile.extendedKeyUsage.includes(oids.ocspSigning)) expect(oids.ocspNoCheck, false)
  if (profile.status.crl) expect(oids.crlDistributionPoints, false, status !== null && status.crlUrl !== null)
  if (profile.status.ocsp) expect(oids.authorityInfoAccess, false, status !== null && status.ocspUrl !== null)
  return expected
}
