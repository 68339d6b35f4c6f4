/** Answers about the status of certificates, signed by a delegated responder (RFC 6960 §4.2, RFC 9919 §3.2). */
import { createHash } from 'node:crypto'
import { assert } from '../errors.ts'
import { signingAlgorithm } from './algorithms.ts'
import { type CrlReason, reasonNumber } from './crl.ts'
import { contextConstructed, contextPrimitive, tags } from './der-tags.ts'
import { generalizedTimeElement } from './der-time.ts'
import { derBitString, derElement, derNull, derOctetString, derOid, derSequence } from './der-writer.ts'
import { type Extension, encodeExtensions } from './extensions.ts'
import { oids } from './oids.ts'
import { publicKeyOctets } from './public-key.ts'

export type CertificateStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly atMs: number; readonly reason: CrlReason }
  /** Its issuer is ours and has never given this serial number to a certificate. */
  | { readonly kind: 'never-issued' }

/** The status of one certificate. */
export interface SingleAnswer {
  /** The CertID in DER, as it was asked (RFC 6960 §4.2.2.1). */
  readonly certificateId: Uint8Array
  readonly status: CertificateStatus
}

export interface AnswerContent {
  readonly answers: readonly SingleAnswer[]
  /** Whole seconds since the epoch. */
  readonly producedAtSec: number
  readonly thisUpdateSec: number
  /** Always there (RFC 9919 §3.2.4). */
  readonly nextUpdateSec: number
  /** As it was asked, 1 to 128 octets, or null. */
  readonly nonce: Uint8Array | null
}

/** What is the same in all answers of one responder. */
export interface ResponderForm {
  /** ResponderID byKey in DER (RFC 9919 §3.2.2). */
  readonly id: Uint8Array
  /** The AlgorithmIdentifier of its signatures. */
  readonly algorithm: Uint8Array
  /** Its certificate, as it stands in each answer. */
  readonly certificates: Uint8Array
}

/** @param publicKey SubjectPublicKeyInfo in DER of the certificate, which its issuer signed directly (RFC 6960 §4.2.2.2) */
export function responderForm(certificate: Uint8Array, publicKey: Uint8Array): ResponderForm {
  const keyHash = createHash('sha1').update(publicKeyOctets(publicKey)).digest()
  return {
    id: derElement(contextConstructed(2), derOctetString(keyHash)),
    algorithm: signingAlgorithm(publicKey).identifier,
    certificates: derElement(contextConstructed(0), derSequence(certificate)),
  }
}

/** The ResponseData in DER: what the responder signs. */
export function ocspToBeSigned({ id }: ResponderForm, content: AnswerContent): Uint8Array {
  const { answers, thisUpdateSec, nextUpdateSec, nonce } = content
  assert(answers.length > 0, 'an answer is about a certificate')
  assert(nextUpdateSec > thisUpdateSec, 'an answer is replaced after it is given')
  const dates = [
    generalizedTimeElement(thisUpdateSec),
    derElement(contextConstructed(0), generalizedTimeElement(nextUpdateSec)),
  ]
  const extensions = [
    ...(nonce === null ? [] : [nonceExtension(nonce)]),
    ...(answers.some(({ status }) => status.kind === 'never-issued') ? [extendedRevoke] : []),
  ]
  return derSequence(
    id,
    generalizedTimeElement(content.producedAtSec),
    derSequence(...answers.map((each) => derSequence(each.certificateId, encodeStatus(each.status), ...dates))),
    ...(extensions.length === 0 ? [] : [derElement(contextConstructed(1), encodeExtensions(extensions))]),
  )
}

/** The OCSPResponse. @param tbs what {@link ocspToBeSigned} gave */
export function signedOcspResponse(responder: ResponderForm, tbs: Uint8Array, signature: Uint8Array): Uint8Array {
  const basic = derSequence(tbs, responder.algorithm, derBitString(signature), responder.certificates)
  return derSequence(successful, derElement(contextConstructed(0), derSequence(basicType, derOctetString(basic))))
}

/** Answers that say why there is none; nobody signs them (RFC 6960 §2.3). */
export const ocspErrors = {
  malformedRequest: errorResponse(1),
  internalError: errorResponse(2),
  tryLater: errorResponse(3),
  /** This responder speaks for none of the issuers that were named (RFC 9919 §3.2.3). */
  unauthorized: errorResponse(6),
} as const

const successful = Uint8Array.of(tags.enumerated, 1, 0)
const basicType = derOid(oids.ocspBasic)

function errorResponse(status: number): Uint8Array {
  return derSequence(Uint8Array.of(tags.enumerated, 1, status))
}

const good = derElement(contextPrimitive(0))

/** §2.2: `certificateHold`, at the beginning of 1970, and the extension that says that this responder does so (§4.4.8). */
const neverIssued = revokedInfo(0, reasonNumber('certificateHold'))
const extendedRevoke: Extension = { oid: oids.ocspExtendedRevoke, critical: false, value: derNull() }

function encodeStatus(status: CertificateStatus): Uint8Array {
  switch (status.kind) {
    case 'good':
      return good
    case 'never-issued':
      return neverIssued
    case 'revoked':
      return revokedInfo(Math.floor(status.atMs / 1000), reasonNumber(status.reason))
  }
}

/** The reason 0, unspecified, is left out, as in CRLs. */
function revokedInfo(atSec: number, reason: number): Uint8Array {
  const reasonElement = derElement(contextConstructed(0), Uint8Array.of(tags.enumerated, 1, reason))
  return derElement(contextConstructed(1), generalizedTimeElement(atSec), ...(reason === 0 ? [] : [reasonElement]))
}

function nonceExtension(nonce: Uint8Array): Extension {
  return { oid: oids.ocspNonce, critical: false, value: derOctetString(nonce) }
}
