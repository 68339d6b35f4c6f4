/** Signature algorithms of certificates and certificate requests. */
import { verify } from 'node:crypto'
import { type DerElement, DerReader, oidText } from './der-reader.ts'
import { tags } from './der-tags.ts'
import { derOid, derSequence } from './der-writer.ts'
import { oids } from './oids.ts'
import { importPublicKey } from './public-key.ts'

/** The AlgorithmIdentifier of ecdsa-with-SHA256, whose parameters are absent (RFC 5758 §3.2). */
export const ecdsaWithSha256: Uint8Array = derSequence(derOid(oids.ecdsaWithSha256))

/** An AlgorithmIdentifier as it was read. */
export interface SignatureAlgorithm {
  readonly oid: string
  /** Whether parameters are `absent`, `null`, or something else. */
  readonly parameters: 'absent' | 'null' | 'other'
}

/** @throws DerError */
export function readSignatureAlgorithm(element: DerElement): SignatureAlgorithm {
  const fields = new DerReader(element.content)
  const oid = oidText(fields.take(tags.oid, 'the signature algorithm'))
  if (fields.atEnd) return { oid, parameters: 'absent' }
  const parameters = fields.next('the parameters of the signature').tag
  fields.assertEnd('the signature algorithm')
  return { oid, parameters: parameters === tags.null ? 'null' : 'other' }
}

/** What one accepted algorithm asks of node:crypto. */
interface Verification {
  readonly keyType: 'ec' | 'rsa' | 'ed25519'
  /** Null where the signature scheme has its own. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  readonly parameters: SignatureAlgorithm['parameters']
}

const verifications: ReadonlyMap<string, Verification> = new Map<string, Verification>([
  [oids.ecdsaWithSha256, { keyType: 'ec', hash: 'sha256', parameters: 'absent' }],
  [oids.ecdsaWithSha384, { keyType: 'ec', hash: 'sha384', parameters: 'absent' }],
  [oids.ecdsaWithSha512, { keyType: 'ec', hash: 'sha512', parameters: 'absent' }],
  [oids.sha256WithRsa, { keyType: 'rsa', hash: 'sha256', parameters: 'null' }],
  [oids.sha384WithRsa, { keyType: 'rsa', hash: 'sha384', parameters: 'null' }],
  [oids.sha512WithRsa, { keyType: 'rsa', hash: 'sha512', parameters: 'null' }],
  [oids.ed25519, { keyType: 'ed25519', hash: null, parameters: 'absent' }],
])

/** True for the algorithms that this hub verifies: ECDSA and RSA PKCS#1 v1.5 with SHA-2, and Ed25519. */
export function isAcceptedSignature(algorithm: SignatureAlgorithm): boolean {
  return verifications.get(algorithm.oid)?.parameters === algorithm.parameters
}

/** Whether a signature of an accepted algorithm was made over these bytes with the private half of that key. */
export function isSignedBy(
  spki: Uint8Array,
  algorithm: SignatureAlgorithm,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  const verification = verifications.get(algorithm.oid)
  const key = importPublicKey(spki)
  if (verification === undefined || key === null || key.asymmetricKeyType !== verification.keyType) return false
  try {
    return verify(verification.hash, bytes, key, signature)
  } catch {
    // OpenSSL throws instead of answering for some keys and signatures that cannot belong together.
    return false
  }
}
