/** What the certificates of a root that the operator keeps elsewhere must be, before a chain issues below it. */
import { X509Certificate } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import { signatureFits } from '../core/x509/algorithms.ts'
import { type AuthorityKeyType, authorityKeyTypeOf } from '../core/x509/authority-key.ts'
import { type CertificateFields, readCertificate } from '../core/x509/certificate.ts'
import { isSameName } from '../core/x509/name.ts'
import { oids } from '../core/x509/oids.ts'
import { importPublicKey, publicKeyHash, readPublicKey } from '../core/x509/public-key.ts'
import { weaknessOf } from '../core/x509/weak-key.ts'

/** Both in DER. */
export interface OwnRootCertificates {
  /** Of the issuing authority. */
  readonly certificate: Uint8Array
  readonly root: Uint8Array
  /** The key that the request was for. */
  readonly publicKey: Uint8Array
  readonly nowSec: number
}

/**
 * Refuses what devices and brokers will refuse, and what this hub cannot work with.
 *
 * @returns the kind of key of the root
 * @throws HubError `own-root-refused`, with what is wrong
 */
export function assertOwnRoot(given: OwnRootCertificates): AuthorityKeyType {
  const [root, issuing] = [read(given.root, 'root'), read(given.certificate, 'certificate')]
  const fault = rootFault(given, root) ?? issuingFault(given, root, issuing)
  const keyType = authorityKeyTypeOf(root.publicKey)
  if (fault !== null || keyType === null) throw new HubError('own-root-refused', fault ?? 'the root has no usable key')
  return keyType
}

function rootFault({ root: der, nowSec }: OwnRootCertificates, root: CertificateFields): string | null {
  const fault = authorityFault('the root', root, nowSec)
  if (fault !== null) return fault
  if (!isSameName(root.subject.der, root.issuer.der) || !verifies(der, der)) {
    return 'the root has not signed itself; give the certificate at the very top'
  }
  if (authorityKeyTypeOf(root.publicKey) === null) return 'the root has a key of a kind that this hub cannot follow'
  const weakness = weaknessIn(root.publicKey)
  if (weakness !== null) return `the root has a key ${weakness}`
  return pathLengthIsZero(root) ? 'the root allows no authority below it (path length 0)' : null
}

function issuingFault(
  { certificate, root: rootDer, publicKey, nowSec }: OwnRootCertificates,
  root: CertificateFields,
  issuing: CertificateFields,
): string | null {
  if (Buffer.compare(issuing.publicKey, publicKey) !== 0) {
    return 'the certificate is for another key than that of the last request'
  }
  const fault = authorityFault('the certificate', issuing, nowSec)
  if (fault !== null) return fault
  if (!isSameName(issuing.issuer.der, root.subject.der) || !verifies(certificate, rootDer)) {
    return 'the root has not signed the certificate'
  }
  if (!signatureFits(issuing.signatureAlgorithm, root.publicKey)) {
    return `the root has signed the certificate by an algorithm that devices refuse (${issuing.signatureAlgorithm.oid}); use SHA-256 or better`
  }
  if (issuing.notAfterSec > root.notAfterSec) return 'the certificate ends after its root'
  if (issuing.keyUsage?.includes('cRLSign') !== true) return 'the certificate may not sign CRLs (key usage)'
  return purposeFault(issuing)
}

/** Clients take the extended key usage of an authority for what those below it may be used for. */
function purposeFault({ extendedKeyUsage }: CertificateFields): string | null {
  if (extendedKeyUsage === null || extendedKeyUsage.includes(oids.anyExtendedKeyUsage)) return null
  const wanted = [oids.clientAuth, oids.serverAuth].every((purpose) => extendedKeyUsage.includes(purpose))
  return wanted ? null : 'the certificate allows not both clients and servers below it (extended key usage)'
}

function read(der: Uint8Array, what: string): CertificateFields {
  try {
    return readCertificate(der)
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    throw new HubError('own-root-refused', `the ${what} cannot be read${reason}`, { cause })
  }
}

/** Critical extensions that certificates below them are made with in mind; others may forbid what this hub issues. */
const understood: ReadonlySet<string> = new Set([oids.basicConstraints, oids.keyUsage, oids.extendedKeyUsage])

function authorityFault(what: string, fields: CertificateFields, atSec: number): string | null {
  if (fields.basicConstraints?.ca !== true) return `${what} is not for an authority (basic constraints)`
  if (fields.keyUsage?.includes('keyCertSign') !== true) return `${what} may not sign certificates (key usage)`
  if (fields.subjectKeyIdentifier === null) return `${what} has no subject key identifier`
  const unknown = [...fields.extensions].find(([oid, { critical }]) => critical && !understood.has(oid))
  if (unknown !== undefined) return `${what} has the critical extension ${unknown[0]}, which this hub does not heed`
  if (atSec < fields.notBeforeSec) return `${what} is good only from ${isoTime(fields.notBeforeSec)}`
  return atSec > fields.notAfterSec ? `${what} has ended at ${isoTime(fields.notAfterSec)}` : null
}

function pathLengthIsZero({ basicConstraints }: CertificateFields): boolean {
  return basicConstraints?.pathLength === 0
}

/** Why a key is no secret, as words behind "a key", or null. */
function weaknessIn(spki: Uint8Array): string | null {
  if (importPublicKey(spki) === null) return 'that is not a valid one'
  const key = readPublicKey(spki, 'certificate-unreadable')
  return weaknessOf(publicKeyHash(spki), key.kind === 'rsa' ? key.modulus : null)
}

/** With OpenSSL's eyes. */
function verifies(certificate: Uint8Array, issuer: Uint8Array): boolean {
  try {
    const [below, above] = [new X509Certificate(certificate), new X509Certificate(issuer)]
    return below.checkIssued(above) && below.verify(above.publicKey)
  } catch {
    return false
  }
}

function isoTime(sec: number): string {
  return new Date(sec * 1000).toISOString()
}
