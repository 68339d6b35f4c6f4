/** RSASSA-PSS (RFC 8017 §8.1, RFC 4055 §3.1), as authorities of others sign by it; this hub does not. */
import { constants, type KeyObject, verify } from 'node:crypto'
import { type DerElement, DerReader, oidText, smallInteger } from './der-reader.ts'
import { contextConstructed, tags } from './der-tags.ts'
import { oids } from './oids.ts'

export interface PssParameters {
  /** Of the message and, the same, of the mask. */
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  /** In octets. */
  readonly saltLength: number
}

/**
 * @param element RSASSA-PSS-params
 * @returns null for what is not taken: a hash outside of SHA-2, which includes the usual one, SHA-1; another hash for the mask; another
 *   trailer than the one there is
 * @throws DerError
 */
export function readPssParameters({ tag, content }: DerElement): PssParameters | null {
  if (tag !== tags.sequence) return null
  const fields = new DerReader(content)
  const hash = readWrapped(fields, 0, readHash)
  const mask = readWrapped(fields, 1, readMask)
  const saltLength = readWrapped(fields, 2, (inner) => smallInteger(inner.take(tags.integer, 'the salt'), 'the salt'))
  const trailer = readWrapped(fields, 3, (inner) =>
    smallInteger(inner.take(tags.integer, 'the trailer'), 'the trailer'),
  )
  fields.assertEnd('the parameters of RSA-PSS')
  if (hash === null || mask !== hash || (trailer ?? 1) !== 1) return null
  return { hash, saltLength: saltLength ?? saltLengthUsual }
}

const saltLengthUsual = 20

const hashes: ReadonlyMap<string, PssParameters['hash']> = new Map([
  [oids.sha256, 'sha256'],
  [oids.sha384, 'sha384'],
  [oids.sha512, 'sha512'],
])

function readWrapped<T>(fields: DerReader, number: number, read: (inner: DerReader) => T): T | null {
  const wrapper = fields.takeOptional(contextConstructed(number), 'a parameter of RSA-PSS')
  if (wrapper === null) return null
  const inner = new DerReader(wrapper.content)
  const value = read(inner)
  inner.assertEnd('a parameter of RSA-PSS')
  return value
}

function readHash(fields: DerReader): PssParameters['hash'] | null {
  const algorithm = fields.enter(tags.sequence, 'the hash of RSA-PSS')
  const hash = hashes.get(oidText(algorithm.take(tags.oid, 'the hash of RSA-PSS'))) ?? null
  const parameters = algorithm.takeOptional(tags.null, 'the parameters of the hash')
  algorithm.assertEnd('the hash of RSA-PSS')
  return parameters === null || parameters.content.length === 0 ? hash : null
}

function readMask(fields: DerReader): PssParameters['hash'] | null {
  const algorithm = fields.enter(tags.sequence, 'the mask of RSA-PSS')
  if (oidText(algorithm.take(tags.oid, 'the mask of RSA-PSS')) !== oids.mgf1) return null
  const hash = readHash(algorithm)
  algorithm.assertEnd('the mask of RSA-PSS')
  return hash
}

/** @param key an RSA key, whether or not it is for RSA-PSS alone @throws whatever OpenSSL does for what cannot belong together */
export function isPssSignedBy(
  key: KeyObject,
  { hash, saltLength }: PssParameters,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.asymmetricKeyType !== 'rsa' && key.asymmetricKeyType !== 'rsa-pss') return false
  return verify(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature)
}
