/** The certificates of authorities themselves: linted, written down, signed for a permit and checked, as all others are. */
import { createHash } from 'node:crypto'
import { assertIssuedAsPlanned } from '../core/profile/check.ts'
import type { CertificatePlan } from '../core/profile/lint-rule.ts'
import { lintBeforeSigning, permitFor } from '../core/profile/permit.ts'
import type { Profile } from '../core/profile/profile.ts'
import { type CertificateTemplate, toBeSigned } from '../core/x509/certificate-builder.ts'
import { Authority, signPermitted } from './authority.ts'
import type { Clock } from './ports/clock.ts'
import type { Signer } from './ports/signer.ts'
import type { Store } from './ports/store.ts'
import { signForLint } from './throwaway-keys.ts'

export interface AuthorityCertificateOrder {
  /** The authority that it is for, as the audit log names it. */
  readonly id: string
  readonly profile: Profile
  /** SubjectPublicKeyInfo in DER of that authority. */
  readonly publicKey: Uint8Array
  readonly template: CertificateTemplate
  /** Who signs: another authority, or the very key that the certificate is for. */
  readonly issuer: Authority | Signer
  readonly actor: string
  /** The second of the clock that its validity was counted from. */
  readonly madeAtSec: number
}

/**
 * The certificate in DER. What was to be signed stands in the audit log before it is, as a certificate that a throwaway key
 * has signed: the caller stores the real one.
 *
 * @throws HubError `certificate-lint-failed`, and nothing was signed; `internal` when the certificate is not what was planned
 */
export async function signAuthorityCertificate(
  hub: { readonly store: Pick<Store, 'write'>; readonly clock: Clock },
  order: AuthorityCertificateOrder,
): Promise<Uint8Array> {
  const { id, profile, publicKey, template, issuer, actor, madeAtSec } = order
  const above = issuer instanceof Authority ? issuer : null
  const plan: CertificatePlan = {
    profile,
    issuer: above?.fields ?? null,
    madeAtSec,
    identity: null,
    subject: template.subject,
    names: null,
    status: null,
    publicKey,
    previousSerialNumber: null,
  }
  const unsigned = toBeSigned(template)
  const linted = lintBeforeSigning(await signForLint(unsigned, above?.fields.publicKey ?? publicKey), plan)
  await hub.store.write((tx) =>
    tx.audit.append({
      atMs: hub.clock.nowMs(),
      actor,
      act: 'authority.sign',
      subject: id,
      before: null,
      after: {
        profile: profile.name,
        issuer: above?.id ?? id,
        serialNumber: Buffer.from(template.serialNumber).toString('hex'),
        toBeSigned: createHash('sha256').update(linted.toBeSigned).digest('hex'),
        lintCertificate: Buffer.from(linted.certificate).toString('base64'),
      },
    }),
  )
  const permit = permitFor(linted)
  const certificate = await (issuer instanceof Authority
    ? issuer.signCertificate(permit)
    : signPermitted(permit, issuer))
  assertIssuedAsPlanned(certificate, linted, plan, above?.x509 ?? null)
  return certificate
}
