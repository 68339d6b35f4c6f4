/**
 * Keys that sign what is only to be looked at. Nobody trusts them, they never leave this process and end with it; one for
 * each algorithm is enough.
 */
import { generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { type SigningAlgorithm, signedStructure, signingAlgorithm } from '../core/x509/algorithms.ts'
import { oids } from '../core/x509/oids.ts'

/**
 * The certificate that would come out if the issuer signed, with a signature that nobody accepts.
 *
 * @param tbs the TBSCertificate in DER
 * @param issuerKey SubjectPublicKeyInfo in DER of the issuer: the throwaway key has its algorithm
 */
export async function signForLint(tbs: Uint8Array, issuerKey: Uint8Array): Promise<Uint8Array> {
  const algorithm = signingAlgorithm(issuerKey)
  return signedStructure(tbs, sign(algorithm.hash, tbs, await throwawayKey(algorithm)))
}

const keys = new Map<string, Promise<KeyObject>>()

function throwawayKey(algorithm: SigningAlgorithm): Promise<KeyObject> {
  const kept = keys.get(algorithm.oid) ?? makeKey(algorithm)
  keys.set(algorithm.oid, kept)
  return kept
}

async function makeKey({ keyType, oid }: SigningAlgorithm): Promise<KeyObject> {
  switch (keyType) {
    case 'ec': {
      const namedCurve = oid === oids.ecdsaWithSha384 ? 'P-384' : 'P-256'
      return (await promisify(generateKeyPair)('ec', { namedCurve })).privateKey
    }
    case 'rsa':
      return (await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })).privateKey
    case 'ed25519':
      return (await promisify(generateKeyPair)('ed25519')).privateKey
  }
}
