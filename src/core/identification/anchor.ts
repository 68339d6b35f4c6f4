/** Trust anchors as values: authorities of others that sign certificates of devices. */

import { isAcceptedFromOthers, isSignedBy } from '../x509/algorithms.ts'
import type { CertificateFields } from '../x509/certificate.ts'
import { DerError } from '../x509/der-reader.ts'
import { readAuthorityInfoAccess } from '../x509/extension-reader.ts'
import { isSameName } from '../x509/name.ts'
import { oids } from '../x509/oids.ts'
import { keyFault } from './foreign-certificate.ts'

/** `waiting` for the proof that its key is held; `distrusted` for good, until it is removed. */
export const anchorStates = ['waiting', 'trusted', 'distrusted'] as const
export type AnchorState = (typeof anchorStates)[number]

/**
 * How revocations by the authority count. `require`: nobody comes in without a CRL in date or the word of a responder; `prefer`: who is
 * known to be revoked stays out, and everybody else comes in; `ignore`: nothing of it is looked at.
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
    isAcceptedFromOthers(fields.signatureAlgorithm) &&
    isSignedBy(authority.publicKey, fields.signatureAlgorithm, fields.toBeSigned, fields.signature)
  )
}

/** What a CRL of an authority says, or a part of one. */
export interface Revocations {
  /** By which addresses certificates name the part; empty for a whole CRL, which is about all of them. */
  readonly urls: readonly string[]
  readonly nextUpdateSec: number
  /** Serial numbers as in the fields of certificates. */
  readonly serialNumbers: ReadonlySet<string>
}

/** What names a certificate to the CRLs of its authority. */
export interface Revocable {
  readonly serialNumber: string
  /** Its distribution points: the parts of a CRL that are about it (RFC 5280 §4.2.1.13). */
  readonly points: readonly string[]
}

/** A certificate of a trust anchor, as its status is asked for again and again. */
export interface Anchored extends Revocable {
  readonly anchorId: string
  /** Fingerprint of the authority that signed it: the trust anchor, or one below it. */
  readonly issuer: string
  /** Addresses of responders that it names. */
  readonly responders: readonly string[]
}

/** Addresses of OCSP responders that a certificate names (RFC 5280 §4.2.2.1); none where they cannot be read. */
export function respondersOf({ extensions }: CertificateFields): readonly string[] {
  const extension = extensions.get(oids.authorityInfoAccess)
  if (extension === undefined) return []
  try {
    return readAuthorityInfoAccess(extension).ocsp
  } catch (error) {
    if (error instanceof DerError) return []
    throw error
  }
}

/** What a responder says of a certificate; null where none was asked, or none answered. */
export type OcspStatus = 'good' | 'revoked' | null

/**
 * Whether a certificate is revoked, or it is not known and must be. Whoever says that it is revoked is believed, however old the
 * word is; that it is not is believed of a CRL in date or of a responder.
 *
 * @param crls of the authority that signed it
 */
export function revocationOf(
  behaviour: RevocationBehaviour,
  crls: readonly Revocations[],
  { serialNumber, points }: Revocable,
  ocsp: OcspStatus,
  nowSec: number,
): 'revoked' | 'ended' | 'unknown' | 'good' {
  if (behaviour === 'ignore') return 'good'
  const about = crls.filter(({ urls }) => urls.length === 0 || urls.some((url) => points.includes(url)))
  if (ocsp === 'revoked' || about.some(({ serialNumbers }) => serialNumbers.has(serialNumber))) return 'revoked'
  if (behaviour === 'prefer' || ocsp === 'good') return 'good'
  if (about.some(({ nextUpdateSec }) => nowSec <= nextUpdateSec)) return 'good'
  return about.length > 0 ? 'ended' : 'unknown'
}
