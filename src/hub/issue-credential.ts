/** Signing: the one place where a certificate for an identity comes into being. */
import type { Credential } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { assertIssuedAsPlanned } from '../core/profile/check.ts'
import type { Profile } from '../core/profile/profile.ts'
import { type Validity, validityFrom } from '../core/profile/validity.ts'
import { type CertificateFields, certificateFingerprint } from '../core/x509/certificate.ts'
import { type CertificateTemplate, signedCertificate, toBeSigned } from '../core/x509/certificate-builder.ts'
import { publicKeyHash } from '../core/x509/public-key.ts'
import { serialNumberFrom } from '../core/x509/serial-number.ts'
import type { Authority } from './authorities.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Random } from './ports/random.ts'

/** What every template needs, whatever the profile. */
export interface CommonTemplateParts {
  readonly publicKey: Uint8Array
  readonly serialNumber: Uint8Array
  readonly issuer: CertificateFields
  readonly validity: Validity
}

/**
 * Signs a certificate and checks it with independent code. Nothing is stored: the caller writes the credential together
 * with what caused it, and hands the certificate out only then.
 *
 * @throws HubError `authority-expired`; `internal` when the certificate is not what was planned
 */
export async function issueCredential(
  hub: { readonly clock: Clock; readonly random: Random },
  order: {
    readonly authority: Authority
    readonly profile: Profile
    readonly identityId: IdentityId
    readonly tokenId: string | null
    /** SubjectPublicKeyInfo in DER. */
    readonly publicKey: Uint8Array
    template(common: CommonTemplateParts): CertificateTemplate
  },
): Promise<Credential> {
  const { authority, profile, publicKey } = order
  const serialNumber = serialNumberFrom(hub.random.bytes(20))
  const validity = validityFrom(profile, nowSec(hub.clock), authority.fields)
  const tbs = toBeSigned(order.template({ publicKey, serialNumber, issuer: authority.fields, validity }))
  const certificate = signedCertificate(tbs, await authority.signer.sign(tbs))
  assertIssuedAsPlanned(certificate, tbs, authority.certificate)
  return {
    fingerprint: certificateFingerprint(certificate),
    serialNumber: Buffer.from(serialNumber).toString('hex'),
    identityId: order.identityId,
    authorityId: authority.id,
    profile: profile.name,
    state: 'pending',
    publicKeyHash: publicKeyHash(publicKey),
    keyOrigin: 'holder',
    certificate,
    crlShard: null,
    tokenId: order.tokenId,
    parentSerial: null,
    notBeforeSec: validity.notBeforeSec,
    notAfterSec: validity.notAfterSec,
    issuedAtMs: hub.clock.nowMs(),
    activatedAtMs: null,
    supersededAtMs: null,
    revokedAtMs: null,
    revocationReason: null,
  }
}
