/** The key that a device enrols with: made here, brought by its owner, or elsewhere, where somebody signs with it or has signed. */
import type { KeyObject } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { Secret } from '../core/secret.ts'
import { parseCertificateRequest, verifyCertificateRequest } from '../core/x509/certificate-request.ts'
import { oids } from '../core/x509/oids.ts'
import { isKeyOf, makeKey, makeKeyOf, publicKeyOf } from './certificate-request.ts'
import { type DeviceKey, type KeyPlace, placeText } from './key-elsewhere/reference.ts'
import { assertUsable, referTo } from './key-elsewhere/use-key.ts'
import type { NewKeyKind } from './private-key.ts'
import type { CredentialStore } from './store/credential.ts'

export type EnrolmentKey =
  /** Made here; ECDSA on P-256 where no kind is said. */
  | { readonly kind: 'new'; readonly keyKind?: NewKeyKind }
  /** One that its owner has made; a copy of it is kept in the store. */
  | { readonly kind: 'brought'; readonly key: KeyObject }
  /** One that never comes here. */
  | { readonly kind: 'elsewhere'; readonly place: KeyPlace }
  /** A certificate request in DER that was signed elsewhere; its key is of nobody's here. */
  | { readonly kind: 'requested'; readonly request: Uint8Array }

export interface KeyToEnrol {
  readonly key: DeviceKey
  /** A request that has been signed already, in DER; null where one is to be made with the key. */
  readonly request: Uint8Array | null
}

type KeyStore = Pick<CredentialStore, 'path' | 'waitingKey' | 'keepWaitingKey'>

/**
 * Finds the key. One that is kept in the store is on disk when this returns.
 *
 * @throws HubError `key-reference-invalid` for a kind of key that cannot be used; `key-program-failed` for one that is elsewhere; `csr-unreadable`,
 *   `csr-signature-invalid`, `key-reference-invalid` for a request that cannot be sent
 */
export async function keyForEnrolment(
  wanted: EnrolmentKey,
  id: IdentityId,
  store: KeyStore,
  onStep: (text: string) => void,
): Promise<KeyToEnrol> {
  switch (wanted.kind) {
    case 'new':
      return { key: await waitingOrNewKey(wanted.keyKind ?? null, id, store, onStep), request: null }
    case 'brought': {
      const keyPem = new Secret(wanted.key.export({ type: 'pkcs8', format: 'pem' }).toString())
      assertUsable(publicKeyOf(keyPem))
      store.keepWaitingKey(id, keyPem)
      return { key: keyPem, request: null }
    }
    case 'elsewhere':
      onStep(`looking for the key: ${placeText(wanted.place)}`)
      return { key: await referTo(wanted.place), request: null }
    case 'requested':
      return { key: { publicKey: keyOfRequest(wanted.request, id), place: nowhere }, request: wanted.request }
  }
}

const nowhere: KeyPlace = { openssl: null, signer: null }

/**
 * The key that waits in the store for a certificate for this id, since the hub has perhaps signed for it and gives the same answer
 * again; else a new one, which is on disk when this is fulfilled.
 *
 * @param keyKind null for ECDSA on P-256, and for whatever waits
 */
export async function waitingOrNewKey(
  keyKind: NewKeyKind | null,
  id: IdentityId,
  store: KeyStore,
  onStep: (text: string) => void,
): Promise<Secret> {
  const waiting = store.waitingKey(id)
  // One of another kind was made before the hub said which it wants.
  if (waiting !== null && (keyKind === null || isKeyOf(keyKind, waiting))) {
    onStep('going on with the key of a request that did not end')
    return waiting
  }
  onStep(`making a key in ${store.path}`)
  return await newKey(keyKind, id, store)
}

/** Makes a key, in the place of one that waits. It is on disk when this is fulfilled. */
export async function newKey(keyKind: NewKeyKind | null, id: IdentityId, store: KeyStore): Promise<Secret> {
  const keyPem = keyKind === null ? makeKey() : await makeKeyOf(keyKind)
  store.keepWaitingKey(id, keyPem)
  return keyPem
}

/** @returns SubjectPublicKeyInfo in DER */
function keyOfRequest(der: Uint8Array, id: IdentityId): Uint8Array {
  const request = parseCertificateRequest(der)
  verifyCertificateRequest(request)
  const names = request.subject.attributes.filter(({ oid }) => oid === oids.commonName).map(({ value }) => value)
  if (names.every((name) => name === id)) return request.publicKey
  throw new HubError(
    'key-reference-invalid',
    `the certificate request is for ${names.map((name) => JSON.stringify(name)).join(', ')}, and the device is ${JSON.stringify(id)}`,
    { hint: `make it with the subject CN=${id}, or with none` },
  )
}
