/** The certificate request of an authority (RFC 2986): it asks for what an issuing authority must be able to do. */
import { signingAlgorithm } from './algorithms.ts'
import { contextConstructed } from './der-tags.ts'
import { derBitString, derElement, derInteger, derOid, derSequence, derSet } from './der-writer.ts'
import { basicConstraints, encodeExtensions, keyUsage } from './extensions.ts'
import { oids } from './oids.ts'

/**
 * The CertificationRequestInfo in DER.
 *
 * @param subject Name in DER
 * @param publicKey SubjectPublicKeyInfo in DER
 */
export function authorityRequestToBeSigned(subject: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const wanted = encodeExtensions([basicConstraints(0), keyUsage(['keyCertSign', 'cRLSign'])])
  const extensionRequest = derSequence(derOid(oids.extensionRequest), derSet(wanted))
  return derSequence(derInteger(0), subject, publicKey, derElement(contextConstructed(0), extensionRequest))
}

/**
 * The CertificationRequest in DER.
 *
 * @param signature over `info`, by the usual algorithm of the key
 */
export function signedRequest(info: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): Uint8Array {
  return derSequence(info, signingAlgorithm(publicKey).identifier, derBitString(signature))
}
