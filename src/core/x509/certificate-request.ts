/** Certificate requests, PKCS#10 (RFC 2986), as devices and their tools send them. */
import { type KeyObject, sign } from 'node:crypto'
import { HubError } from '../errors.ts'
import {
  isAcceptedSignature,
  isSignedBy,
  readSignatureAlgorithm,
  type SignatureAlgorithm,
  signingAlgorithm,
} from './algorithms.ts'
import { bitStringOctets, DerError, DerReader, oidText, openSingle, readingAs, smallInteger } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { derBitString, derElement, derSequence } from './der-writer.ts'
import { readExtensions } from './extension-reader.ts'
import type { Extension } from './extensions.ts'
import { type Name, readName, stringText } from './name.ts'
import { oidName, oids } from './oids.ts'

export interface CertificateRequest {
  readonly subject: Name
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  /** What the extensionRequest attribute asks for, in its order (RFC 2985 §5.4.2). */
  readonly requestedExtensions: readonly Extension[]
  /** The challengePassword attribute; EST puts the channel binding there (RFC 7030 §3.5). Secret. */
  readonly challengePassword: string | null
  /** Types of all other attributes, dotted. */
  readonly otherAttributes: readonly string[]
  readonly signatureAlgorithm: SignatureAlgorithm
  /** The CertificationRequestInfo in DER, over which the signature was made. */
  readonly toBeSigned: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Reads a PKCS#10 in DER. Its signature is not looked at: {@link verifyCertificateRequest} does that.
 *
 * @throws HubError `csr-unreadable`, with what is wrong
 */
export function parseCertificateRequest(der: Uint8Array): CertificateRequest {
  return readingAs('csr-unreadable', 'the certificate request', () => {
    const outer = openSingle(der, tags.sequence, 'the certificate request')
    const info = outer.take(tags.sequence, 'the CertificationRequestInfo')
    const signatureAlgorithm = readSignatureAlgorithm(outer.take(tags.sequence, 'the signature algorithm'))
    const signature = bitStringOctets(outer.take(tags.bitString, 'the signature'), 'the signature')
    outer.assertEnd('the certificate request')
    return { ...readInfo(new DerReader(info.content)), signatureAlgorithm, toBeSigned: info.bytes, signature }
  })
}

/**
 * Proof of possession: the request was signed with the private half of the key that it carries.
 *
 * @throws HubError `csr-signature-invalid`, also for an algorithm that proves nothing any more, such as SHA-1
 */
export function verifyCertificateRequest(request: CertificateRequest): void {
  const { signatureAlgorithm, publicKey, toBeSigned, signature } = request
  if (!isAcceptedSignature(signatureAlgorithm)) {
    throw new HubError(
      'csr-signature-invalid',
      `the certificate request is signed with ${oidName(signatureAlgorithm.oid)}, which is not accepted`,
      { hint: 'sign it with SHA-256, SHA-384 or SHA-512 and ECDSA or RSA (PKCS#1 v1.5)' },
    )
  }
  if (isSignedBy(publicKey, signatureAlgorithm, toBeSigned, signature)) return
  throw new HubError('csr-signature-invalid', 'the signature on the certificate request does not verify')
}

/**
 * The same request for another key, signed with that key: subject and attributes stay as they are.
 *
 * @param spki SubjectPublicKeyInfo in DER of a kind of key that `signingAlgorithm` knows
 * @param privateKey its other half
 * @returns the CertificationRequest in DER
 */
export function requestWithKey(request: CertificateRequest, spki: Uint8Array, privateKey: KeyObject): Uint8Array {
  const info = openSingle(request.toBeSigned, tags.sequence, 'the CertificationRequestInfo')
  const version = info.take(tags.integer, 'the version').bytes
  const subject = info.take(tags.sequence, 'the subject').bytes
  info.take(tags.sequence, 'the public key')
  const attributes = info.takeOptional(contextConstructed(0), 'the attributes')?.bytes
  const replaced = derSequence(version, subject, spki, attributes ?? derElement(contextConstructed(0)))
  const { hash, identifier } = signingAlgorithm(spki)
  return derSequence(replaced, identifier, derBitString(sign(hash, replaced, privateKey)))
}

type RequestInfo = Omit<CertificateRequest, 'signatureAlgorithm' | 'toBeSigned' | 'signature'>

function readInfo(info: DerReader): RequestInfo {
  const version = smallInteger(info.take(tags.integer, 'the version'), 'the version')
  if (version !== 0) throw new DerError(`the version is ${version}, not 0`)
  const subject = readName(info.take(tags.sequence, 'the subject'), 'the subject')
  const { bytes: publicKey } = info.take(tags.sequence, 'the public key')
  // Some makers leave out the attributes altogether instead of writing an empty set.
  const attributes = info.takeOptional(contextConstructed(0), 'the attributes')
  info.assertEnd('the CertificationRequestInfo')
  return { subject, publicKey, ...readAttributes(new DerReader(attributes?.content ?? new Uint8Array())) }
}

function readAttributes(
  list: DerReader,
): Pick<CertificateRequest, 'requestedExtensions' | 'challengePassword' | 'otherAttributes'> {
  let requestedExtensions: readonly Extension[] | null = null
  let challengePassword: string | null = null
  const otherAttributes: string[] = []
  while (!list.atEnd) {
    const attribute = list.enter(tags.sequence, 'an attribute')
    const oid = oidText(attribute.take(tags.oid, 'the type of an attribute'))
    const values = attribute.enter(tags.set, `the attribute ${oidName(oid)}`)
    attribute.assertEnd(`the attribute ${oidName(oid)}`)
    if (oid === oids.extensionRequest || oid === oids.microsoftExtensionRequest) {
      if (requestedExtensions !== null) throw new DerError('it asks for extensions twice')
      requestedExtensions = [...readExtensions(values.enter(tags.sequence, 'the extensionRequest')).values()]
      values.assertEnd('the extensionRequest')
    } else if (oid === oids.challengePassword) {
      if (challengePassword !== null) throw new DerError('it has two challenge passwords')
      challengePassword = stringText(values.next('the challengePassword'))
      values.assertEnd('the challengePassword')
    } else {
      otherAttributes.push(oid)
    }
  }
  return { requestedExtensions: requestedExtensions ?? [], challengePassword, otherAttributes }
}
