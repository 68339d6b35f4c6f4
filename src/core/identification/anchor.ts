/** Trust anchors as values: authorities of others that sign certificates of devices. */

import { isAcceptedSignature, isSignedBy } from '../x509/algorithms.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import { isSameName } from '../x509/name.ts'
import { keyFault } from './foreign-certificate.ts'

/** `waiting` for the proof that its key is held; `distrusted` for good, until it is removed. */
export const anchorStates = ['waiting', 'trusted', 'distrusted'] as const
export type AnchorState = (typeof anchorStates)[number]

/**
 * How revocations by the authority count. `require`: nobody comes in without a CRL of it that is in date; `prefer`: whom its latest
 * CRL names stays out, and without one everybody comes in; `ignore`: its CRLs are not looked at.
 */
export const revocationBehaviours = ['require', 'prefer', 'ignore'] as const
export type RevocationBehaviour = (typeof revocationBehaviours)[number]

const idPattern = /^[a-z][a-z0-9-]{0,31}$/

/** Ids stand in policies and settings: lower-case letters, digits and "-", the first a letter, 32 at most. */
export function isAnchorId(text: string): boolean {
  return idPattern.test(text)
}

/** Why a certificate cannot be a trust anchor, as words behind "the certificate"; null where it can. */
export function anchorFault(fields: CertificateFields): string | null {
  if (fields.basicConstraints?.ca !== true) return 'is not one of an authority (basic constraints)'
  if (fields.keyUsage !== null && !fields.keyUsage.includes('keyCertSign')) return 'may not sign others (key usage)'
  return keyFault(fields.publicKey)
}

/** Whether a certificate names an authority as its issuer, and the authority's key has signed it. */
export function isIssuedBy(fields: CertificateFields, authority: CertificateFields): boolean {
  return (
    isSameName(fields.issuer.der, authority.subject.der) &&
    isAcceptedSignature(fields.signatureAlgorithm) &&
    isSignedBy(authority.publicKey, fields.signatureAlgorithm, fields.toBeSigned, fields.signature)
  )
}

/** What a CRL of an authority says. */
export interface Revocations {
  readonly nextUpdateSec: number
  /** Serial numbers as in the fields of certificates. */
  readonly serialNumbers: ReadonlySet<string>
}

/** Whether a serial number is revoked, or it is not known and must be. */
export function revocationOf(
  behaviour: RevocationBehaviour,
  revocations: Revocations | null,
  serialNumber: string,
  nowSec: number,
): 'revoked' | 'unknown' | 'good' {
  if (behaviour === 'ignore') return 'good'
  if (revocations?.serialNumbers.has(serialNumber) === true) return 'revoked'
  if (behaviour === 'prefer') return 'good'
  return revocations === null || nowSec > revocations.nextUpdateSec ? 'unknown' : 'good'
}
