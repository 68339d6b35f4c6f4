/** What is wrong with a client certificate that the registry does not hold, told from its own bytes and our authorities. */

import { X509Certificate } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { shortKeyFault, usageFault } from '../core/identification/foreign-certificate.ts'
import { isAcceptedFromOthers } from '../core/x509/algorithms.ts'
import { type CertificateFields, readCertificate } from '../core/x509/certificate.ts'
import { certificateSummary } from '../core/x509/certificate-summary.ts'
import { isSameName } from '../core/x509/name.ts'
import { dateWords } from '../core/x509/validity-words.ts'
import type { Authority } from './authority.ts'
import type { Refusal } from './gate-admission.ts'

/** What is looked at of an authority. */
export type KnownAuthority = Pick<Authority, 'id' | 'state' | 'fields' | 'x509'>

interface Shown {
  readonly certificate: Uint8Array
  readonly fields: CertificateFields
  /** The name of its subject and its issuer, as an attempt keeps them. */
  readonly subject: string
  readonly issuer: string
}

interface Finding {
  readonly code: FailureName
  readonly sentence: string
}

/**
 * Refuses a certificate, by the first of these that is so: it is no certificate; it is that of our own authority; its issuer has the
 * name of ours; it is self-signed; it is of an authority that nobody here knows. What else is wrong with it is told in the sentence:
 * a person who mends the one should not meet the other next.
 *
 * @param certificate the leaf in DER; whoever shows it has proved that it has the key
 * @param authorities all that this hub has had
 */
export function strangerRefusal(
  authorities: readonly KnownAuthority[],
  certificate: Uint8Array,
  nowSec: number,
): Refusal {
  let fields: CertificateFields
  try {
    fields = readCertificate(certificate)
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    return { admitted: false, code: 'certificate-unreadable', sentence: error.message, identityId: null, summary: null }
  }
  const summary = certificateSummary(certificate, fields)
  const shown: Shown = { certificate, fields, subject: summary.subject, issuer: summary.issuer }
  const { code, sentence } = ofOurs(authorities, shown) ?? ofOthers(shown)
  const also = otherFaults(fields, code, nowSec)
  return { admitted: false, code, sentence: [sentence, ...also].join('; it also '), identityId: null, summary }
}

/** Where the certificate says that it is ours, or is that of one of our authorities; null where it is neither. */
function ofOurs(authorities: readonly KnownAuthority[], { certificate, fields }: Shown): Finding | null {
  const self = authorities.find((each) => sameBytes(each.fields.publicKey, fields.publicKey))
  if (self !== undefined) {
    const sentence = `the client has the key of our authority ${self.id}, and showed its certificate ${fields.serialNumber}`
    return { code: 'authority-key-elsewhere', sentence }
  }
  // A root and its successor have one name.
  const namesakes = authorities.filter((each) => isSameName(each.fields.subject.der, fields.issuer.der))
  const signer = namesakes.find((each) => isSignedWith(certificate, each.x509.publicKey))
  if (signer !== undefined) return signedByOurs(fields, signer)
  const latest = namesakes.at(-1)
  if (latest === undefined) return null
  const { authorityKeyIdentifier: named, serialNumber } = fields
  const isNamed = ({ fields: { subjectKeyIdentifier: own } }: KnownAuthority) => own !== null && sameBytes(own, named)
  if (named !== null && !namesakes.some(isNamed)) {
    const sentence = `the certificate ${serialNumber} was issued by an authority with the name of our ${latest.id} and another key`
    return { code: 'certificate-of-namesake', sentence }
  }
  const sentence = `the certificate ${serialNumber} names our ${latest.id} as its issuer, but was not signed by it: it is forged or damaged`
  return { code: 'certificate-forged', sentence }
}

function signedByOurs({ serialNumber }: CertificateFields, { id, state }: KnownAuthority): Finding {
  if (state === 'retired') {
    const sentence = `the certificate ${serialNumber} was signed by our ${id}, which is retired, and the registry does not hold it`
    return { code: 'certificate-of-retired-authority', sentence }
  }
  const sentence = `the certificate ${serialNumber} was signed by our ${id}, but the registry does not hold it`
  return { code: 'certificate-unknown-serial', sentence }
}

function ofOthers({ certificate, fields, subject, issuer }: Shown): Finding {
  if (isSameName(fields.issuer.der, fields.subject.der)) {
    if (isSignedByItself(certificate)) {
      return { code: 'certificate-self-signed', sentence: `the certificate of ${subject} is self-signed` }
    }
    const sentence = `the certificate of ${subject} has the name of its issuer, and was signed by another key than its own`
    return { code: 'certificate-named-like-issuer', sentence }
  }
  if (fields.basicConstraints?.ca === true) {
    const sentence = `the certificate is that of the authority ${subject}, which ${issuer} issued and this hub does not know`
    return { code: 'certificate-is-authority', sentence }
  }
  const sentence = `the certificate of ${subject} was issued by ${issuer}, which this hub does not know`
  return { code: 'certificate-foreign-authority', sentence }
}

/** What else would keep it out, as words behind "it also". Nothing is computed with keys of strangers. */
function otherFaults(fields: CertificateFields, code: FailureName, nowSec: number): readonly string[] {
  const isAccepted = isAcceptedFromOthers(fields.signatureAlgorithm)
  const hash = isAccepted ? null : `is signed with ${signatureText(fields)}, which is not accepted`
  return [dateWords(fields, nowSec), ...ofLeaf(fields, code), hash].flatMap((words) => words ?? [])
}

function ofLeaf(fields: CertificateFields, code: FailureName): readonly (string | null)[] {
  // Certificates that say of themselves what they are for are not worth a word.
  if (code === 'certificate-self-signed' || code === 'certificate-is-authority') return [shortKey(fields)]
  return [shortKey(fields), usageFault(fields)?.words ?? null]
}

/** A key that cannot be read is left to those who want to use it. */
function shortKey({ publicKey }: CertificateFields): string | null {
  try {
    return shortKeyFault(publicKey)
  } catch (error) {
    if (error instanceof HubError) return null
    throw error
  }
}

/** The name of a signature algorithm that is not accepted. */
export function signatureText({ signatureAlgorithm: { oid } }: Pick<CertificateFields, 'signatureAlgorithm'>): string {
  return oldAlgorithms[oid] ?? `the algorithm ${oid}`
}

const oldAlgorithms: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'RSA and MD2',
  '1.2.840.113549.1.1.4': 'RSA and MD5',
  '1.2.840.113549.1.1.5': 'RSA and SHA-1',
  '1.2.840.113549.1.1.10': 'RSA-PSS in a form',
  '1.2.840.10040.4.3': 'DSA and SHA-1',
  '1.2.840.10045.4.1': 'ECDSA and SHA-1',
}

function isSignedByItself(certificate: Uint8Array): boolean {
  try {
    const x509 = new X509Certificate(certificate)
    return x509.verify(x509.publicKey)
  } catch {
    return false
  }
}

function isSignedWith(certificate: Uint8Array, key: X509Certificate['publicKey']): boolean {
  try {
    return new X509Certificate(certificate).verify(key)
  } catch {
    return false
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array | null): boolean {
  return b !== null && Buffer.compare(a, b) === 0
}
