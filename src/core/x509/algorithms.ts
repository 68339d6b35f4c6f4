/** Signature algorithms of certificates, CRLs and certificate requests. */
import { verify } from 'node:crypto'
import { assert } from '../errors.ts'
import { type DerElement, DerError, DerReader, oidText } from './der-reader.ts'
import { tags } from './der-tags.ts'
import { derBitString, derElement, derOid, derSequence } from './der-writer.ts'
import { oids } from './oids.ts'
import { importPublicKey, readPublicKey } from './public-key.ts'
import { isPssSignedBy, type PssParameters, readPssParameters } from './rsa-pss.ts'

/** Hashes that go with ECDSA and RSA. */
export type SignatureHash = 'sha256' | 'sha384' | 'sha512'

/** What one algorithm asks of a key and of node:crypto. */
interface Scheme {
  readonly keyType: 'ec' | 'rsa' | 'ed25519'
  /** Null where the signature scheme has its own. */
  readonly hash: SignatureHash | null
  /** What stands behind the object identifier (RFC 5758 §3.2, RFC 8017 appendix A.2.4, RFC 8410 §3). */
  readonly parameters: 'absent' | 'null'
}

/** An algorithm that this hub signs with. It is part of what is signed, so it is known before there is a signature. */
export interface SigningAlgorithm extends Scheme {
  readonly oid: string
  /** The AlgorithmIdentifier in DER. */
  readonly identifier: Uint8Array
}

/** An AlgorithmIdentifier as it was read. */
export interface SignatureAlgorithm {
  readonly oid: string
  /** Whether parameters are `absent`, `null`, those of RSA-PSS as they are taken, or something else. */
  readonly parameters: 'absent' | 'null' | 'other' | PssParameters
}

/** @throws DerError */
export function readSignatureAlgorithm(element: DerElement): SignatureAlgorithm {
  const fields = new DerReader(element.content)
  const oid = oidText(fields.take(tags.oid, 'the signature algorithm'))
  if (fields.atEnd) return { oid, parameters: 'absent' }
  const parameters = fields.next('the parameters of the signature')
  fields.assertEnd('the signature algorithm')
  if (parameters.tag === tags.null) return { oid, parameters: 'null' }
  return { oid, parameters: (oid === oids.rsassaPss ? readPssParameters(parameters) : null) ?? 'other' }
}

const schemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  [oids.ecdsaWithSha256, { keyType: 'ec', hash: 'sha256', parameters: 'absent' }],
  [oids.ecdsaWithSha384, { keyType: 'ec', hash: 'sha384', parameters: 'absent' }],
  [oids.ecdsaWithSha512, { keyType: 'ec', hash: 'sha512', parameters: 'absent' }],
  [oids.sha256WithRsa, { keyType: 'rsa', hash: 'sha256', parameters: 'null' }],
  [oids.sha384WithRsa, { keyType: 'rsa', hash: 'sha384', parameters: 'null' }],
  [oids.sha512WithRsa, { keyType: 'rsa', hash: 'sha512', parameters: 'null' }],
  [oids.ed25519, { keyType: 'ed25519', hash: null, parameters: 'absent' }],
])

const signing: ReadonlyMap<string, SigningAlgorithm> = new Map(
  [...schemes].map(([oid, scheme]) => {
    const parameters = scheme.parameters === 'null' ? [derElement(tags.null)] : []
    return [oid, { ...scheme, oid, identifier: derSequence(derOid(oid), ...parameters) }]
  }),
)

/** Keys of authorities are few and sign often. */
const known = new WeakMap<Uint8Array, SigningAlgorithm>()

/**
 * The algorithm that a key signs with: ECDSA with the hash that is as strong as the curve, RSA PKCS#1 v1.5 with SHA-256,
 * which every device reads, or Ed25519.
 *
 * @param spki SubjectPublicKeyInfo in DER of a key on P-256 or P-384, an RSA key or an Ed25519 key
 * @param hash another hash than the usual one, where the algorithm has a choice; null for the usual one
 * @throws HubError `certificate-unreadable` where the bytes are no such structure
 */
export function signingAlgorithm(spki: Uint8Array, hash: SignatureHash | null = null): SigningAlgorithm {
  const usual = usualAlgorithm(spki)
  if (hash === null || usual.hash === null || usual.hash === hash) return usual
  const other = [...signing.values()].find((each) => each.keyType === usual.keyType && each.hash === hash)
  assert(other !== undefined, 'ECDSA and RSA go with every hash')
  return other
}

/**
 * The algorithm for a signature over bytes: the one that a TBSCertificate or TBSCertList names as its own, where that key can
 * make it; the usual one otherwise, as for the ResponseData of OCSP, which names none.
 */
export function algorithmFor(bytes: Uint8Array, spki: Uint8Array): SigningAlgorithm {
  const usual = usualAlgorithm(spki)
  const named = namedAlgorithm(bytes)
  return named?.keyType === usual.keyType ? named : usual
}

function namedAlgorithm(bytes: Uint8Array): SigningAlgorithm | null {
  try {
    const fields = new DerReader(bytes).enter(tags.sequence, 'what is signed')
    let element = fields.next('what is signed')
    while (element.tag !== tags.sequence) element = fields.next('the algorithm of the signature')
    return signing.get(readSignatureAlgorithm(element).oid) ?? null
  } catch (error) {
    if (error instanceof DerError) return null
    throw error
  }
}

function usualAlgorithm(spki: Uint8Array): SigningAlgorithm {
  const before = known.get(spki)
  if (before !== undefined) return before
  const oid = signingOid(spki)
  const algorithm = oid === null ? undefined : signing.get(oid)
  assert(algorithm !== undefined, 'an authority has a key on P-256 or P-384, an RSA key or an Ed25519 key')
  known.set(spki, algorithm)
  return algorithm
}

function signingOid(spki: Uint8Array): string | null {
  const key = readPublicKey(spki, 'certificate-unreadable')
  switch (key.kind) {
    case 'ec':
      if (key.curve === 'P-256') return oids.ecdsaWithSha256
      return key.curve === 'P-384' ? oids.ecdsaWithSha384 : null
    case 'rsa':
      return oids.sha256WithRsa
    case 'ed25519':
      return oids.ed25519
    case 'rsa-pss':
    case 'other':
      return null
  }
}

/**
 * SIGNED{} of a TBSCertificate or a TBSCertList: the algorithm beside the signature is the one that the signed bytes name,
 * which is their first SEQUENCE (RFC 5280 §4.1.1.2, §5.1.1.2).
 *
 * @param signature DER SEQUENCE of r and s for ECDSA (RFC 3279 §2.2.3), the bare octets for RSA and Ed25519
 */
export function signedStructure(tbs: Uint8Array, signature: Uint8Array): Uint8Array {
  const fields = new DerReader(tbs).enter(tags.sequence, 'what was signed')
  let element = fields.next('what was signed')
  while (element.tag !== tags.sequence) element = fields.next('the algorithm of the signature')
  return derSequence(tbs, element.bytes, derBitString(signature))
}

/** True for the algorithms that this hub verifies, and may sign with: ECDSA and RSA PKCS#1 v1.5 with SHA-2, and Ed25519. */
export function isAcceptedSignature(algorithm: SignatureAlgorithm): boolean {
  return schemes.get(algorithm.oid)?.parameters === algorithm.parameters
}

/** Whether authorities of others may sign by it: RSA-PSS with SHA-2 as well. */
export function isAcceptedFromOthers(algorithm: SignatureAlgorithm): boolean {
  return typeof algorithm.parameters === 'object' || isAcceptedSignature(algorithm)
}

/** Whether an accepted algorithm is one for that key. @param spki SubjectPublicKeyInfo in DER */
export function signatureFits(algorithm: SignatureAlgorithm, spki: Uint8Array): boolean {
  const { kind } = readPublicKey(spki, 'certificate-unreadable')
  return isAcceptedSignature(algorithm) && schemes.get(algorithm.oid)?.keyType === kind
}

/** Whether a signature of an accepted algorithm was made over these bytes with the private half of that key. */
export function isSignedBy(
  spki: Uint8Array,
  algorithm: SignatureAlgorithm,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = importPublicKey(spki)
  if (key === null) return false
  try {
    if (typeof algorithm.parameters === 'object') return isPssSignedBy(key, algorithm.parameters, bytes, signature)
    const scheme = schemes.get(algorithm.oid)
    return key.asymmetricKeyType === scheme?.keyType && verify(scheme?.hash, bytes, key, signature)
  } catch {
    // OpenSSL throws instead of answering for some keys and signatures that cannot belong together.
    return false
  }
}
