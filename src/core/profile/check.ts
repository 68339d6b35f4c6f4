/** The last look at a certificate before it leaves: with OpenSSL's eyes, not with the code that made it. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../errors.ts'
import { toBeSignedOf } from '../x509/certificate-layout.ts'
import { importPublicKey } from '../x509/public-key.ts'
import type { CertificatePlan } from './lint-rule.ts'
import type { LintedCertificate } from './permit.ts'

/**
 * Checks a certificate just signed: it holds exactly the bytes that were linted, OpenSSL reads in it what was planned, its
 * issuer is the one given, and the issuer's key verifies the signature.
 *
 * @param certificate the certificate in DER
 * @param linted what was to be signed
 * @param issuer the issuer's certificate; null for one that its own key signs
 * @throws HubError `internal`, saying which of these does not hold
 */
export function assertIssuedAsPlanned(
  certificate: Uint8Array,
  linted: LintedCertificate,
  plan: CertificatePlan,
  issuer: X509Certificate | null,
): void {
  let fault: string | null
  try {
    fault =
      Buffer.compare(toBeSignedOf(certificate), linted.toBeSigned) === 0
        ? faultOf(new X509Certificate(certificate), plan, issuer)
        : 'is not the one that was planned'
  } catch (cause) {
    throw new HubError('internal', 'a certificate just signed cannot be read', { cause })
  }
  if (fault !== null) throw new HubError('internal', `a certificate just signed ${fault}`)
}

/** What OpenSSL finds wrong with a certificate, as words behind it; null where nothing is. */
export function faultOf(
  certificate: X509Certificate,
  plan: CertificatePlan,
  issuer: X509Certificate | null,
): string | null {
  const authority = issuer ?? certificate
  if (!certificate.checkIssued(authority)) return 'does not name its issuer'
  if (!certificate.verify(authority.publicKey)) return 'has a signature that its issuer did not make'
  return contentFaultOf(certificate, plan)
}

/** The same without issuer and signature. */
export function contentFaultOf(
  certificate: X509Certificate,
  { profile, publicKey, identity, names }: CertificatePlan,
): string | null {
  if (certificate.ca !== (profile.pathLength !== null))
    return 'is an authority where none was planned, or the other way round'
  if (!isSameSet(certificate.keyUsage ?? [], profile.extendedKeyUsage)) return 'is for other purposes than were planned'
  const key = publicKey === null ? null : importPublicKey(publicKey)
  if (key !== null && !certificate.publicKey.equals(key)) return 'is for another key than was planned'
  const alternative = certificate.subjectAltName?.split(', ') ?? []
  if (identity?.spiffeId != null && !alternative.includes(`URI:${identity.spiffeId}`)) return 'lacks its SPIFFE ID'
  if (names === null) return null
  const lacking = names.dnsNames.find((name) => !alternative.includes(`DNS:${name}`))
  if (lacking !== undefined) return `lacks the name ${lacking}`
  // OpenSSL writes addresses in a form of its own, so they are counted here; the lint compares them.
  const expected = names.dnsNames.length + names.ipAddresses.length + names.emails.length
  const found = alternative.filter((name) => !name.startsWith('URI:')).length
  return found === expected ? null : 'has other names than were planned'
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((member) => right.includes(member))
}
