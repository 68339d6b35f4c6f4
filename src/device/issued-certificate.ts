/** What a device checks in a certificate before it replaces anything with it. */
import type { X509Certificate } from 'node:crypto'
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { readCertificate } from '../core/x509/certificate.ts'
import { oids } from '../core/x509/oids.ts'
import { deviceLimits } from './limits.ts'

export interface IssuedQuestion {
  /** What the hub sent, the answer first, in any order. */
  readonly certificates: readonly X509Certificate[]
  /** The root that the bootstrap string names. */
  readonly root: X509Certificate
  readonly id: IdentityId
  /** SubjectPublicKeyInfo in DER of the key that asked. */
  readonly publicKey: Uint8Array
  readonly nowMs: number
}

export interface IssuedAnswer {
  /** The device's certificate, then those between it and the root; the root is not among them. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]]
  /** What is odd and no obstacle: a clock that differs. */
  readonly warnings: readonly string[]
}

/**
 * Finds the device's certificate in an answer and checks that it is for this key and this id, and that it chains to the root.
 *
 * @throws HubError `hub-answer-unexpected`, naming what is wrong
 */
export function checkIssued({ certificates, root, id, publicKey, nowMs }: IssuedQuestion): IssuedAnswer {
  const leaf = certificates.find((each) => isSameKey(each, publicKey))
  if (leaf === undefined) throw refusal('no certificate in it is for the key of this device')
  const names = namesOf(leaf)
  if (names.length !== 1 || names[0] !== id) {
    throw refusal(`the certificate is for ${names.map(quote).join(', ') || 'nobody'}, not for ${quote(id)}`)
  }
  if (leaf.ca) throw refusal('the certificate is that of an authority')
  return { chain: [leaf, ...pathToRoot(leaf, certificates, root)], warnings: clockWarnings(leaf, nowMs) }
}

/**
 * The same below any of several roots: which of them it chains to is the hub's choice; that it does is not.
 *
 * @throws HubError `hub-answer-unexpected`; `credential-missing` where no root is held
 */
export function checkIssuedBelow(
  roots: readonly X509Certificate[],
  question: Omit<IssuedQuestion, 'root'>,
): IssuedAnswer {
  let last: unknown = new HubError('credential-missing', 'no root certificate is held')
  for (const root of roots) {
    try {
      return checkIssued({ ...question, root })
    } catch (error) {
      last = error
    }
  }
  throw last
}

/** The certificates between a leaf and the root, the issuer of the leaf first; every signature on the way is verified. */
function pathToRoot(
  leaf: X509Certificate,
  pool: readonly X509Certificate[],
  root: X509Certificate,
): readonly X509Certificate[] {
  const path: X509Certificate[] = []
  let last = leaf
  while (!isIssuedBy(last, root)) {
    const issuer = pool.find((each) => each.ca && !path.includes(each) && isIssuedBy(last, each))
    if (issuer === undefined || path.length === deviceLimits.intermediatesMax) {
      throw refusal('the certificate does not chain to the root in the bootstrap string')
    }
    path.push(issuer)
    last = issuer
  }
  return path
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function isSameKey(certificate: X509Certificate, publicKey: Uint8Array): boolean {
  return Buffer.compare(certificate.publicKey.export({ type: 'spki', format: 'der' }), publicKey) === 0
}

/** Whom a certificate is for: the id at the end of its SPIFFE ID, since a server has its host for a common name; or that. */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const { subject, uris } = readCertificate(certificate.raw)
  const spiffe = uris.flatMap((uri) => /^spiffe:\/\/[^/]+\/(?:device|service|user)\/([^/]+)$/.exec(uri)?.[1] ?? [])
  if (spiffe.length > 0) return spiffe
  return subject.attributes.filter(({ oid }) => oid === oids.commonName).map(({ value }) => value)
}

function clockWarnings(leaf: X509Certificate, nowMs: number): readonly string[] {
  const now = new Date(nowMs).toISOString()
  if (nowMs < leaf.validFromDate.getTime()) {
    return [`the clock of this device (${now}) is before the certificate begins (${leaf.validFromDate.toISOString()})`]
  }
  if (nowMs > leaf.validToDate.getTime()) {
    return [`the clock of this device (${now}) is after the certificate ends (${leaf.validToDate.toISOString()})`]
  }
  return []
}

function refusal(what: string): HubError {
  return new HubError('hub-answer-unexpected', `the certificate that came cannot be used: ${what}`)
}
