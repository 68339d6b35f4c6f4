/** The device's key, kept as PEM, and its request for a certificate (PKCS#10, RFC 2986). */
import { createPrivateKey } from 'node:crypto'
import type { IdentityId } from '../core/identity/id.ts'
import { Secret } from '../core/secret.ts'
import type { DeviceKey } from './key-elsewhere/reference.ts'
import { signElsewhere } from './key-elsewhere/use-key.ts'
import {
  certificateRequestWith,
  keyKindOf,
  type NewKeyKind,
  newP256Key,
  newPrivateKey,
  publicKeyDer,
  unsignedRequest,
} from './private-key.ts'

/** A new ECDSA key on P-256, as PKCS#8 in PEM. */
export function makeKey(): Secret {
  return new Secret(newP256Key().export({ type: 'pkcs8', format: 'pem' }).toString())
}

/** A new key of another kind, in the same form. */
export async function makeKeyOf(kind: NewKeyKind): Promise<Secret> {
  return new Secret((await newPrivateKey(kind)).export({ type: 'pkcs8', format: 'pem' }).toString())
}

/** Whether a private key in PEM is of that kind. */
export function isKeyOf(kind: NewKeyKind, keyPem: Secret): boolean {
  return keyKindOf(createPrivateKey(keyPem.reveal())) === kind
}

/** The SubjectPublicKeyInfo in DER of a private key. @throws Error when the PEM is no such key */
export function publicKeyOf(key: DeviceKey): Uint8Array {
  return key instanceof Secret ? publicKeyDer(createPrivateKey(key.reveal())) : key.publicKey
}

/**
 * A request with CN = id, no attributes, signed with the key: everything else is the hub's to decide.
 *
 * @param keyPem a private key in PEM
 * @returns the CertificationRequest in DER
 */
export function certificateRequest(id: IdentityId, keyPem: Secret): Uint8Array {
  return certificateRequestWith(id, createPrivateKey(keyPem.reveal()))
}

/**
 * The same with a key that may be elsewhere; it is signed there then.
 *
 * @throws HubError `key-elsewhere`; `key-program-failed`
 */
export async function certificateRequestBy(id: IdentityId, key: DeviceKey): Promise<Uint8Array> {
  if (key instanceof Secret) return certificateRequest(id, key)
  const { information, algorithm, signed } = unsignedRequest(id, key.publicKey)
  return signed(await signElsewhere(key, algorithm, information))
}
