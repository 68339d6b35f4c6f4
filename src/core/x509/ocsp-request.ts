/** Questions about the status of certificates, as strangers send them (RFC 6960 §4.1, RFC 9654, RFC 9919 §3.1). */
import { createHash } from 'node:crypto'
import type { SerialNumber } from '../identity/credential.ts'
import { limits } from '../limits.ts'
import { DerError, DerReader, oidText, openDer, openSingle, readingAs, smallInteger } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { readExtensions } from './extension-reader.ts'
import type { Extension } from './extensions.ts'
import { oidName, oids } from './oids.ts'
import { publicKeyOctets } from './public-key.ts'

/** One certificate, named by its issuer and its serial number (RFC 6960 §4.1.1). */
export interface CertificateId {
  /** Null for an algorithm that is not answered: no issuer of ours can be found by it. */
  readonly hash: OcspHash | null
  /** Hash of the issuer's name in DER, and of the octets of its key: lower-case hexadecimal, one behind the other. */
  readonly issuer: string
  readonly serialNumber: SerialNumber
  /** The CertID in DER: it stands in the answer as it was asked. */
  readonly der: Uint8Array
}

export type OcspHash = 'sha1' | 'sha256'

export interface OcspRequest {
  /** At least one, at most `limits.ocspCertificatesMax`. */
  readonly certificates: readonly CertificateId[]
  /** The value of the nonce, 1 to 128 octets, or null. */
  readonly nonce: Uint8Array | null
}

/**
 * Reads an OCSPRequest in DER. A signature on it is not looked at: everybody may ask.
 *
 * @throws HubError `ocsp-request-unreadable`, with what is wrong; also for a critical extension that is not known and for a
 *   nonce without octets or with more than 128 (RFC 9654 §2.1)
 */
export function parseOcspRequest(der: Uint8Array): OcspRequest {
  return readingAs('ocsp-request-unreadable', 'the OCSP request', () => {
    const outer = openSingle(der, tags.sequence, 'the OCSPRequest', limits.ocspRequestBytesMax)
    const fields = outer.enter(tags.sequence, 'the TBSRequest')
    outer.takeOptional(contextConstructed(0), 'the signature')
    outer.assertEnd('the OCSPRequest')

    assertVersion1(fields)
    fields.takeOptional(contextConstructed(1), 'the name of the requestor')
    const certificates = readList(fields.enter(tags.sequence, 'the list of requests'))
    const extensions = readOptionalExtensions(fields, contextConstructed(2), 'the extensions of the request')
    fields.assertEnd('the TBSRequest')
    return { certificates, nonce: nonceIn(extensions) }
  })
}

/** How an issuer is named in requests that use that hash: as in {@link CertificateId.issuer}. */
export function issuerHash(
  hash: OcspHash,
  issuer: { readonly subject: { readonly der: Uint8Array }; readonly publicKey: Uint8Array },
): string {
  const hashOf = (bytes: Uint8Array): string => createHash(hash).update(bytes).digest('hex')
  return hashOf(issuer.subject.der) + hashOf(publicKeyOctets(issuer.publicKey))
}

const hashes: ReadonlyMap<string, OcspHash> = new Map([
  [oids.sha1, 'sha1'],
  [oids.sha256, 'sha256'],
])
const hashBytes: Readonly<Record<OcspHash, number>> = { sha1: 20, sha256: 32 }

/** More than any serial number may have (RFC 5280 §4.1.2.2): a longer one is answered like any that was never given. */
const serialBytesMax = 32

function assertVersion1(fields: DerReader): void {
  const version = fields.takeOptional(contextConstructed(0), 'the version')
  if (version === null) return
  const inner = new DerReader(version.content)
  const number = smallInteger(inner.take(tags.integer, 'the version'), 'the version')
  inner.assertEnd('the version')
  if (number !== 0) throw new DerError(`version ${number + 1} is not known`)
}

function readList(list: DerReader): readonly CertificateId[] {
  const certificates: CertificateId[] = []
  while (!list.atEnd) {
    if (certificates.length === limits.ocspCertificatesMax) {
      throw new DerError(`it asks for more than ${limits.ocspCertificatesMax} certificates`)
    }
    const request = list.enter(tags.sequence, 'a request')
    certificates.push(readCertificateId(request.take(tags.sequence, 'the CertID')))
    readOptionalExtensions(request, contextConstructed(0), 'the extensions for one certificate').forEach(assertBearable)
    request.assertEnd('a request')
  }
  if (certificates.length === 0) throw new DerError('it asks for no certificate')
  return certificates
}

function readCertificateId({ content, bytes }: { readonly content: Uint8Array; readonly bytes: Uint8Array }) {
  const fields = new DerReader(content)
  const algorithm = fields.enter(tags.sequence, 'the hash algorithm')
  const hash = hashes.get(oidText(algorithm.take(tags.oid, 'the hash algorithm'))) ?? null
  const parameters = algorithm.atEnd ? null : algorithm.next('the parameters of the hash algorithm')
  algorithm.assertEnd('the hash algorithm')
  if (hash !== null && parameters !== null && parameters.tag !== tags.null) {
    throw new DerError('the hash algorithm has parameters')
  }
  const name = fields.take(tags.octetString, 'the hash of the issuer’s name').content
  const key = fields.take(tags.octetString, 'the hash of the issuer’s key').content
  const serial = fields.take(tags.integer, 'the serial number').content
  fields.assertEnd('the CertID')
  if (hash !== null && (name.length !== hashBytes[hash] || key.length !== hashBytes[hash])) {
    throw new DerError(`a hash has not the length that ${hash} gives`)
  }
  if (serial.length > serialBytesMax) throw new DerError('the serial number is too long')
  return { hash, issuer: toHex(name) + toHex(key), serialNumber: toHex(serial), der: bytes }
}

function readOptionalExtensions(fields: DerReader, tag: number, what: string): readonly Extension[] {
  const wrapped = fields.takeOptional(tag, what)
  if (wrapped === null) return []
  const inner = new DerReader(wrapped.content)
  const extensions = readExtensions(inner.enter(tags.sequence, what))
  inner.assertEnd(what)
  return [...extensions.values()]
}

/** Extensions that are not known are passed over, unless they may not be (RFC 6960 §4.1.2). */
function assertBearable({ oid, critical }: Extension): void {
  if (critical) throw new DerError(`the critical extension ${oidName(oid)} is not known`)
}

function nonceIn(extensions: readonly Extension[]): Uint8Array | null {
  let nonce: Uint8Array | null = null
  for (const extension of extensions) {
    if (extension.oid === oids.ocspNonce) nonce = readNonce(extension)
    else assertBearable(extension)
  }
  return nonce
}

function readNonce({ value }: Extension): Uint8Array {
  const outer = openDer(value)
  const { content } = outer.take(tags.octetString, 'the nonce')
  outer.assertEnd('the nonce')
  if (content.length >= 1 && content.length <= limits.ocspNonceBytesMax) return content
  throw new DerError(`the nonce has ${content.length} octets, not 1 to ${limits.ocspNonceBytesMax}`)
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
