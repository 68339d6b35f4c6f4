/** Private keys as they are made where they are used, and certificate requests (PKCS#10, RFC 2986) signed with them. */
import { createPublicKey, generateKeyPair, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { type SigningAlgorithm, signingAlgorithm } from '../core/x509/algorithms.ts'
import { contextConstructed } from '../core/x509/der-tags.ts'
import { derBitString, derElement, derInteger, derSequence } from '../core/x509/der-writer.ts'
import { buildName } from '../core/x509/name.ts'

/** Kinds of key that can be made; RSA with its length in bits. */
export const newKeyKinds = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519'] as const
export type NewKeyKind = (typeof newKeyKinds)[number]

/** Makes a key beside the thread: an RSA key takes up to seconds. */
export async function newPrivateKey(kind: NewKeyKind): Promise<KeyObject> {
  const [family = '', bits = ''] = kind.split('-')
  if (kind === 'Ed25519') return (await promisify(generateKeyPair)('ed25519')).privateKey
  if (family === 'RSA') return (await promisify(generateKeyPair)('rsa', { modulusLength: Number(bits) })).privateKey
  return (await promisify(generateKeyPair)('ec', { namedCurve: kind })).privateKey
}

/** A new ECDSA key on P-256, made at once. */
export function newP256Key(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/** Of which kind a private key is, or null where it is none that is made here. */
export function keyKindOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): NewKeyKind | null {
  const curves: Readonly<Record<string, NewKeyKind>> = { prime256v1: 'P-256', secp384r1: 'P-384' }
  if (type === 'ed25519') return 'Ed25519'
  if (type === 'ec') return curves[details?.namedCurve ?? ''] ?? null
  return newKeyKinds.find((kind) => type === 'rsa' && kind === `RSA-${details?.modulusLength}`) ?? null
}

/** The SubjectPublicKeyInfo of a private key in DER. */
export function publicKeyDer(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}

/**
 * A request with a common name and no attributes: everything else is not the requester's to say.
 *
 * @param commonName 1 to 64 characters
 * @returns the CertificationRequest in DER
 */
export function certificateRequestWith(commonName: string, key: KeyObject): Uint8Array {
  const { information, algorithm, signed } = unsignedRequest(commonName, publicKeyDer(key))
  return signed(sign(algorithm.hash, information, key))
}

/** A request that somebody else signs. */
export interface UnsignedRequest {
  /** The CertificationRequestInfo in DER, over which the signature is made. */
  readonly information: Uint8Array
  readonly algorithm: SigningAlgorithm
  /** The CertificationRequest in DER. */
  signed(signature: Uint8Array): Uint8Array
}

/**
 * @param commonName 1 to 64 characters
 * @param publicKey SubjectPublicKeyInfo in DER
 */
export function unsignedRequest(commonName: string, publicKey: Uint8Array): UnsignedRequest {
  const algorithm = signingAlgorithm(publicKey)
  const noAttributes = derElement(contextConstructed(0))
  const information = derSequence(derInteger(0), buildName(commonName), publicKey, noAttributes)
  return {
    information,
    algorithm,
    signed: (signature) => derSequence(information, algorithm.identifier, derBitString(signature)),
  }
}
