/** Certificate requests of every shape, honest and not. */
import { sign } from 'node:crypto'
import { contextConstructed } from '../../../src/core/x509/der-tags.ts'
import {
  derBitString,
  derElement,
  derInteger,
  derNull,
  derOid,
  derSequence,
  derSet,
} from '../../../src/core/x509/der-writer.ts'
import { type Extension, encodeExtensions } from '../../../src/core/x509/extensions.ts'
import { emptyName } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { ecKey, type TestKey } from './support.ts'

export interface RequestShape {
  readonly subject?: Uint8Array
  readonly key?: TestKey
  readonly extensions?: readonly Extension[]
  /** Whole attributes beside the extensions. */
  readonly attributes?: readonly Uint8Array[]
  readonly version?: number
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'sha512' | null
}

export function makeRequest(shape: RequestShape = {}): Uint8Array {
  const { subject = emptyName, key = ecKey(), extensions = [], attributes = [], version = 0, hash = 'sha256' } = shape
  const asked = extensions.length === 0 ? [] : [attribute(oids.extensionRequest, encodeExtensions(extensions))]
  const info = derSequence(
    derInteger(version),
    subject,
    key.spki,
    derElement(contextConstructed(0), ...asked, ...attributes),
  )
  return derSequence(info, algorithm(key, hash), derBitString(sign(hash, info, key.privateKey)))
}

export function attribute(oid: string, ...values: readonly Uint8Array[]): Uint8Array {
  return derSequence(derOid(oid), derSet(...values))
}

function algorithm(key: TestKey, hash: RequestShape['hash']): Uint8Array {
  const type = key.privateKey.asymmetricKeyType
  if (type === 'ed25519') return derSequence(derOid(oids.ed25519))
  if (type === 'rsa') {
    const oid = {
      sha1: oids.sha1WithRsa,
      sha256: oids.sha256WithRsa,
      sha384: oids.sha384WithRsa,
      sha512: oids.sha512WithRsa,
    }
    return derSequence(derOid(oid[hash ?? 'sha256']), derNull())
  }
  const oid = {
    sha1: oids.ecdsaWithSha1,
    sha256: oids.ecdsaWithSha256,
    sha384: oids.ecdsaWithSha384,
    sha512: oids.ecdsaWithSha512,
  }
  return derSequence(derOid(oid[hash ?? 'sha256']))
}
