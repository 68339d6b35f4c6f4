/** Keys that the hub makes for devices that cannot (RFC 7030 §4.4). They are handed out once and kept nowhere. */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { assert } from '../core/errors.ts'
import type { Profile } from '../core/profile/profile.ts'
import type { KeyType } from '../core/x509/public-key.ts'

export interface ServerKey {
  readonly privateKey: KeyObject
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
}

const generate = promisify(generateKeyPair)

const rsa = (modulusLength: number) => () => generate('rsa', { modulusLength })

const makers: Readonly<
  Record<KeyType, () => Promise<{ readonly privateKey: KeyObject; readonly publicKey: KeyObject }>>
> = {
  'P-256': () => generate('ec', { namedCurve: 'P-256' }),
  'P-384': () => generate('ec', { namedCurve: 'P-384' }),
  'P-521': () => generate('ec', { namedCurve: 'P-521' }),
  RSA: rsa(2_048),
  'RSA-2048': rsa(2_048),
  'RSA-3072': rsa(3_072),
  'RSA-4096': rsa(4_096),
  Ed25519: () => generate('ed25519'),
}

/** A new key of the kind that the profile names first. What the request carries says nothing about it (RFC 7030 §4.4.1). */
export async function makeServerKey({ keyTypes }: Pick<Profile, 'keyTypes'>): Promise<ServerKey> {
  const [type] = keyTypes
  assert(type !== undefined, 'a profile of an identity names a kind of key')
  const { privateKey, publicKey } = await makers[type]()
  return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'der' }) }
}
