/** The device's key and its request for a certificate (PKCS#10, RFC 2986). */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { IdentityId } from '../core/identity/id.ts'
import { Secret } from '../core/secret.ts'
import { contextConstructed } from '../core/x509/der-tags.ts'
import { derBitString, derElement, derInteger, derOid, derSequence } from '../core/x509/der-writer.ts'
import { buildName } from '../core/x509/name.ts'
import { oids } from '../core/x509/oids.ts'

/** A new ECDSA key on P-256, as PKCS#8 in PEM. */
export function makeKey(): Secret {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return new Secret(privateKey)
}

/** The SubjectPublicKeyInfo in DER of a private key in PEM. @throws Error when it is no such key */
export function publicKeyOf(keyPem: Secret): Uint8Array {
  return publicKeyDer(createPrivateKey(keyPem.reveal()))
}

/**
 * A request with CN = id, no attributes, signed with ECDSA and SHA-256: everything else is the hub's to decide.
 *
 * @param keyPem a P-256 key in PEM
 * @returns the CertificationRequest in DER
 */
export function certificateRequest(id: IdentityId, keyPem: Secret): Uint8Array {
  const key = createPrivateKey(keyPem.reveal())
  const noAttributes = derElement(contextConstructed(0))
  const information = derSequence(derInteger(0), buildName(id), publicKeyDer(key), noAttributes)
  const signature = sign('sha256', information, key)
  return derSequence(information, derSequence(derOid(oids.ecdsaWithSha256)), derBitString(signature))
}

function publicKeyDer(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' })
}
