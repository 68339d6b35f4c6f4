/** Asking a responder of somebody else about one certificate, and reading what it says (RFC 6960, RFC 9919). */
import { createHash } from 'node:crypto'
import { limits } from '../limits.ts'
import { isAcceptedFromOthers, isSignedBy, readSignatureAlgorithm } from './algorithms.ts'
import { type CertificateFields, readCertificate } from './certificate.ts'
import {
  bitStringOctets,
  type DerElement,
  DerError,
  DerReader,
  oidText,
  openSingle,
  readingAs,
  smallInteger,
  timeSec,
} from './der-reader.ts'
import { contextConstructed, contextPrimitive, tags } from './der-tags.ts'
import { derElement, derNull, derOctetString, derOid, derSequence } from './der-writer.ts'
import { readExtensions } from './extension-reader.ts'
import { oids } from './oids.ts'
import { publicKeyOctets } from './public-key.ts'

/** Whom a question is about. */
export interface OcspSubject {
  /** The authority that signed the certificate. */
  readonly issuer: CertificateFields
  /** Lower-case hexadecimal of the DER content octets. */
  readonly serialNumber: string
}

export interface OcspWord {
  /** `unknown`: the responder knows nothing of it. */
  readonly status: 'good' | 'revoked' | 'unknown'
  /** Whole seconds since the epoch. */
  readonly thisUpdateSec: number
  /** Null where newer word can be had at any time. */
  readonly nextUpdateSec: number | null
}

/**
 * The OCSPRequest in DER. It names the issuer by SHA-1, which every responder knows (RFC 9919 §3.1.1), and has no nonce: answers that were made
 * beforehand and are in date will do, and their age is bounded.
 */
export function ocspQuestion(subject: OcspSubject): Uint8Array {
  return derSequence(derSequence(derSequence(derSequence(certificateId(subject)))))
}

function certificateId({ issuer, serialNumber }: OcspSubject): Uint8Array {
  const hashOf = (bytes: Uint8Array): Uint8Array => createHash('sha1').update(bytes).digest()
  return derSequence(
    derSequence(derOid(oids.sha1), derNull()),
    derOctetString(hashOf(issuer.subject.der)),
    derOctetString(hashOf(publicKeyOctets(issuer.publicKey))),
    derElement(tags.integer, Buffer.from(serialNumber, 'hex')),
  )
}

/**
 * Reads an OCSPResponse and checks who signed it: the authority itself, or whom it has certified for that.
 *
 * @param nowSec whole seconds since the epoch
 * @throws HubError `ocsp-answer-unfit`: it cannot be read, is no answer, is about another certificate, was not signed by who may, or
 *   is not in date
 */
export function readOcspAnswer(der: Uint8Array, subject: OcspSubject, nowSec: number): OcspWord {
  return readingAs('ocsp-answer-unfit', 'the answer of the OCSP responder', () => {
    const basic = openBasic(der)
    const data = basic.take(tags.sequence, 'the ResponseData')
    const algorithm = readSignatureAlgorithm(basic.take(tags.sequence, 'the signature algorithm'))
    const signature = bitStringOctets(basic.take(tags.bitString, 'the signature'), 'the signature')
    const certificates = basic.takeOptional(contextConstructed(0), 'the certificates')
    basic.assertEnd('the BasicOCSPResponse')
    const { responder, answers } = readData(new DerReader(data.content))
    const signer = signerOf(subject.issuer, responder, certificates, nowSec)
    if (!isAcceptedFromOthers(algorithm) || !isSignedBy(signer, algorithm, data.bytes, signature)) {
      throw new DerError('the responder has not signed it, or with an algorithm that is not taken')
    }
    const word = wordAbout(answers, subject)
    assertInDate(word, nowSec)
    return word
  })
}

const statusWords: Readonly<Record<number, string>> = {
  1: 'it says that the question is malformed',
  2: 'it has an internal error',
  3: 'it says to try later',
  5: 'it wants questions to be signed',
  6: 'it does not speak for this authority',
}

/** A reader for what is inside of the BasicOCSPResponse. */
function openBasic(der: Uint8Array): DerReader {
  const outer = openSingle(der, tags.sequence, 'the OCSPResponse', limits.ocspAnswerBytesMax)
  const status = smallInteger(outer.take(tags.enumerated, 'the status'), 'the status')
  if (status !== 0) throw new DerError(statusWords[status] ?? `it has the status ${status}`)
  const wrapper = outer.enter(contextConstructed(0), 'the answer')
  outer.assertEnd('the OCSPResponse')
  const bytes = wrapper.enter(tags.sequence, 'the answer')
  if (oidText(bytes.take(tags.oid, 'the type of the answer')) !== oids.ocspBasic) {
    throw new DerError('it is of a type that is not known')
  }
  const { content } = bytes.take(tags.octetString, 'the answer')
  bytes.assertEnd('the answer')
  return openSingle(content, tags.sequence, 'the BasicOCSPResponse', limits.ocspAnswerBytesMax)
}

/** Who answers: by name or by the hash of the key, one of them null. */
interface Responder {
  readonly name: Uint8Array | null
  readonly keyHash: Uint8Array | null
}

function readData(fields: DerReader): { readonly responder: Responder; readonly answers: DerReader } {
  if (fields.takeOptional(contextConstructed(0), 'the version') !== null)
    throw new DerError('it has another version than 1')
  const { tag, content } = fields.next('the responder')
  const id = new DerReader(content)
  const responder: Responder =
    tag === contextConstructed(1)
      ? { name: id.take(tags.sequence, 'the name of the responder').bytes, keyHash: null }
      : { name: null, keyHash: id.take(tags.octetString, 'the key of the responder').content }
  if (tag !== contextConstructed(1) && tag !== contextConstructed(2)) throw new DerError('it does not say who answers')
  timeSec(fields.take(tags.generalizedTime, 'the time of the answer'), 'the time of the answer')
  const answers = fields.enter(tags.sequence, 'the answers')
  const extensions = fields.takeOptional(contextConstructed(1), 'the extensions')
  fields.assertEnd('the ResponseData')
  if (extensions !== null) assertBearable(extensions)
  return { responder, answers }
}

/** The key that must have signed: of the authority, or of a certificate that it gave for this (RFC 6960 §4.2.2.2). */
function signerOf(
  issuer: CertificateFields,
  responder: Responder,
  certificates: DerElement | null,
  nowSec: number,
): Uint8Array {
  if (isNamed(responder, issuer)) return issuer.publicKey
  for (const delegate of certificatesIn(certificates)) {
    if (isNamed(responder, delegate) && mayAnswerFor(issuer, delegate, nowSec)) return delegate.publicKey
  }
  throw new DerError('who signed it is neither the authority nor certified by it for this, in date')
}

function isNamed({ name, keyHash }: Responder, { subject, publicKey }: CertificateFields): boolean {
  if (name !== null) return Buffer.compare(name, subject.der) === 0
  const ours = createHash('sha1').update(publicKeyOctets(publicKey)).digest()
  return keyHash !== null && Buffer.compare(keyHash, ours) === 0
}

function certificatesIn(wrapper: DerElement | null): readonly CertificateFields[] {
  if (wrapper === null) return []
  const list = new DerReader(wrapper.content).enter(tags.sequence, 'the certificates')
  const certificates: CertificateFields[] = []
  while (!list.atEnd) {
    if (certificates.length === limits.ocspAnswerCertificatesMax) throw new DerError('it has too many certificates')
    certificates.push(readCertificate(list.take(tags.sequence, 'a certificate').bytes))
  }
  return certificates
}

function mayAnswerFor(issuer: CertificateFields, delegate: CertificateFields, nowSec: number): boolean {
  return (
    delegate.extendedKeyUsage?.includes(oids.ocspSigning) === true &&
    nowSec >= delegate.notBeforeSec &&
    nowSec <= delegate.notAfterSec &&
    Buffer.compare(delegate.issuer.der, issuer.subject.der) === 0 &&
    isAcceptedFromOthers(delegate.signatureAlgorithm) &&
    isSignedBy(issuer.publicKey, delegate.signatureAlgorithm, delegate.toBeSigned, delegate.signature)
  )
}

/** A responder may answer about more than was asked (RFC 6960 §4.2.2.3). */
function wordAbout(answers: DerReader, subject: OcspSubject): OcspWord {
  const asked = certificateId(subject)
  for (let count = 0; !answers.atEnd; count++) {
    if (count === limits.ocspCertificatesMax) throw new DerError('it has too many answers')
    const answer = answers.enter(tags.sequence, 'an answer')
    const id = answer.take(tags.sequence, 'the CertID')
    const word = readWord(answer)
    if (isSameId(id, asked)) return word
  }
  throw new DerError('it is about another certificate')
}

/** The parameters of SHA-1 may be NULL or be left out. */
function isSameId(id: DerElement, asked: Uint8Array): boolean {
  const parts = (content: Uint8Array): string => {
    const fields = new DerReader(content)
    const hash = oidText(fields.enter(tags.sequence, 'the hash algorithm').take(tags.oid, 'the hash algorithm'))
    const rest = [fields.next('the name'), fields.next('the key'), fields.next('the serial number')]
    fields.assertEnd('the CertID')
    return [hash, ...rest.map(({ bytes }) => Buffer.from(bytes).toString('hex'))].join(' ')
  }
  return parts(id.content) === parts(openSingleContent(asked))
}

function openSingleContent(element: Uint8Array): Uint8Array {
  return new DerReader(element).take(tags.sequence, 'the CertID').content
}

function readWord(answer: DerReader): OcspWord {
  const status = statusOf(answer.next('the status').tag)
  const thisUpdateSec = timeSec(answer.take(tags.generalizedTime, 'thisUpdate'), 'thisUpdate')
  const next = answer.takeOptional(contextConstructed(0), 'nextUpdate')
  const nextUpdateSec =
    next === null ? null : timeSec(new DerReader(next.content).take(tags.generalizedTime, 'nextUpdate'), 'nextUpdate')
  const extensions = answer.takeOptional(contextConstructed(1), 'the extensions of an answer')
  answer.assertEnd('an answer')
  if (extensions !== null) assertBearable(extensions)
  return { status, thisUpdateSec, nextUpdateSec }
}

function statusOf(tag: number): OcspWord['status'] {
  if (tag === contextPrimitive(0)) return 'good'
  if (tag === contextConstructed(1)) return 'revoked'
  if (tag === contextPrimitive(2)) return 'unknown'
  throw new DerError('an answer has a status that is not known')
}

function assertBearable({ content }: DerElement): void {
  const extensions = readExtensions(new DerReader(content).enter(tags.sequence, 'the extensions'))
  for (const [oid, { critical }] of extensions) {
    if (critical) throw new DerError(`it has the critical extension ${oid}, which is not known`)
  }
}

function assertInDate({ thisUpdateSec, nextUpdateSec }: OcspWord, nowSec: number): void {
  if (thisUpdateSec > nowSec + limits.statusClockSkewSec) throw new DerError('it is from the future')
  const endSec = nextUpdateSec ?? thisUpdateSec + limits.ocspWordAgeSec
  if (nowSec > endSec) throw new DerError('it is out of date')
}
