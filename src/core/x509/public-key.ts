/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): what a public key is, its hash, its identifier, and whether it will do. */
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { HubError } from '../errors.ts'
import type { FailureName } from '../failure/catalogue.ts'
import {
  bitStringOctets,
  DerError,
  type DerReader,
  oidText,
  openSingle,
  readingAs,
  smallInteger,
} from './der-reader.ts'
import { tags } from './der-tags.ts'
import { oids } from './oids.ts'
import { encodePem } from './pem.ts'
import { weaknessOf } from './weak-key.ts'

/** Kinds of key that a profile can allow. `RSA` means 2048 to 4096 bits, a number behind it exactly so many. */
export type KeyType = 'P-256' | 'P-384' | 'P-521' | 'RSA' | 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'Ed25519'

/** What a SubjectPublicKeyInfo says it holds. */
export type PublicKey =
  /** `curve` is a NIST name, the dotted form of another named curve, or `explicit parameters`. */
  | { readonly kind: 'ec'; readonly curve: string; readonly pointForm: 'uncompressed' | 'other' }
  | { readonly kind: 'rsa'; readonly modulusBits: number; readonly modulus: bigint; readonly exponent: bigint }
  /** A key for RSA-PSS alone (RFC 4055 §1.2): authorities of others have some. */
  | { readonly kind: 'rsa-pss'; readonly modulusBits: number; readonly modulus: bigint; readonly exponent: bigint }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'other'; readonly oid: string }

/**
 * Reads a SubjectPublicKeyInfo in DER, which nobody changes any more. It answers what the bytes say, not whether the key is any
 * good.
 *
 * @param unreadable code of the failure where the bytes are not a SubjectPublicKeyInfo
 */
export function readPublicKey(spki: Uint8Array, unreadable: FailureName = 'csr-key-unacceptable'): PublicKey {
  const before = alreadyRead.get(spki)
  if (before !== undefined) return before
  const key = readAnew(spki, unreadable)
  alreadyRead.set(spki, key)
  return key
}

/** Keys of issuers are few and asked for often, those of requests by one rule after the other. */
const alreadyRead = new WeakMap<Uint8Array, PublicKey>()

function readAnew(spki: Uint8Array, unreadable: FailureName): PublicKey {
  return readingAs(unreadable, 'the public key', () => {
    const { algorithm, oid, keyOctets } = openSpki(spki)
    switch (oid) {
      case oids.ecPublicKey:
        return { kind: 'ec', curve: curveName(algorithm), pointForm: keyOctets[0] === 4 ? 'uncompressed' : 'other' }
      case oids.rsaEncryption:
        return { kind: 'rsa', ...readRsa(keyOctets) }
      case oids.rsassaPss:
        return { kind: 'rsa-pss', ...readRsa(keyOctets) }
      case oids.ed25519:
        return { kind: 'ed25519' }
      default:
        return { kind: 'other', oid }
    }
  })
}

/** SHA-256 of the SubjectPublicKeyInfo in DER, 64 lower-case hexadecimal characters. */
export function publicKeyHash(spki: Uint8Array): string {
  return hash('sha256', spki, 'hex')
}

/**
 * The identifier that stands in subject and authority key identifiers: the leftmost 160 bits of SHA-256 over the BIT
 * STRING's content (RFC 7093 §2 method 1). As short as the SHA-1 of RFC 5280 §4.2.1.2, and available where SHA-1 is not.
 *
 * @throws HubError `certificate-unreadable` where the bytes are not a SubjectPublicKeyInfo
 */
export function keyIdentifier(spki: Uint8Array): Uint8Array {
  const keyOctets = readingAs('certificate-unreadable', 'the public key', () => openSpki(spki).keyOctets)
  return new Uint8Array(hash('sha256', keyOctets, 'buffer').subarray(0, 20))
}

/** The octets of the key in the BIT STRING of a SubjectPublicKeyInfo: what OCSP hashes to name a key (RFC 6960 §4.1.1). */
export function publicKeyOctets(spki: Uint8Array): Uint8Array {
  return readingAs('certificate-unreadable', 'the public key', () => openSpki(spki).keyOctets)
}

/**
 * Refuses a key that a certificate must not be made for: a type or size that is not allowed, a curve given by explicit
 * parameters, a compressed point or one that is not on its curve, an RSA exponent that is even, below 65537 or beyond 64 bits,
 * a key whose private half is known or easily computed.
 *
 * @throws HubError `csr-key-unacceptable`, naming what was found
 */
export function assertAcceptableKey(spki: Uint8Array, profile: { readonly keyTypes: readonly KeyType[] }): void {
  const key = readPublicKey(spki)
  const fault = keyFault(key, profile.keyTypes)
  if (fault !== null) {
    throw new HubError('csr-key-unacceptable', `the request is for ${fault}`, {
      hint: `make the request with a key of one of these types: ${profile.keyTypes.map(keyTypeText).join(', ')}`,
    })
  }
  // OpenSSL checks here that a point is on its curve.
  if (importPublicKey(spki) === null) {
    throw new HubError('csr-key-unacceptable', `the request is for ${publicKeyText(key)} that is not a valid key`)
  }
  const weakness = weaknessOf(publicKeyHash(spki), key.kind === 'rsa' ? key.modulus : null)
  if (weakness !== null) {
    throw new HubError('csr-key-unacceptable', `the request is for ${publicKeyText(key)} ${weakness}`, {
      hint: 'make a new key with a library that is kept up to date',
    })
  }
}

function keyTypeText(type: KeyType): string {
  return type === 'RSA' ? `RSA (${rsaBitsMin} to ${rsaBitsMax} bits)` : type
}

/** A public key in words, such as `an ECDSA key on P-256`. */
export function publicKeyText(key: PublicKey): string {
  switch (key.kind) {
    case 'ec':
      return key.curve === explicitParameters ? `an ECDSA key with ${key.curve}` : `an ECDSA key on ${key.curve}`
    case 'rsa':
      return `an RSA key of ${key.modulusBits} bits`
    case 'rsa-pss':
      return `an RSA-PSS key of ${key.modulusBits} bits`
    case 'ed25519':
      return 'an Ed25519 key'
    case 'other':
      return `a key of type ${key.oid}`
  }
}

/** What OpenSSL made of the keys that are in use: one import takes longer than a signature. */
const imported = new WeakMap<Uint8Array, KeyObject | null>()

/**
 * The key for node:crypto, or null where OpenSSL does not take it. It is remembered as long as these very bytes are.
 *
 * @param spki SubjectPublicKeyInfo in DER; nobody changes it any more
 */
export function importPublicKey(spki: Uint8Array): KeyObject | null {
  const before = imported.get(spki)
  if (before !== undefined) return before
  const key = importAnew(spki)
  imported.set(spki, key)
  return key
}

function importAnew(spki: Uint8Array): KeyObject | null {
  try {
    // Node takes a text twice as fast as an object that says what its bytes are.
    return createPublicKey(encodePem('PUBLIC KEY', spki))
  } catch {
    return null
  }
}

const rsaBitsMin = 2048
const rsaBitsMax = 4096
const rsaExponentMin = 65_537n
const explicitParameters = 'explicit parameters'

function keyFault(key: PublicKey, allowed: readonly KeyType[]): string | null {
  const text = publicKeyText(key)
  switch (key.kind) {
    case 'ec':
      if (!allowed.some((type) => type === key.curve)) return `${text}, which is not allowed`
      return key.pointForm === 'uncompressed' ? null : `${text} whose point is not in uncompressed form`
    case 'rsa':
      if (!allowed.some((type) => type === 'RSA' || type === `RSA-${key.modulusBits}`)) {
        return `${text}, which is not allowed`
      }
      if (key.modulusBits < rsaBitsMin || key.modulusBits > rsaBitsMax) {
        return `${text}, outside of ${rsaBitsMin} to ${rsaBitsMax}`
      }
      if (key.modulus % 2n === 0n) return `${text} whose modulus is even`
      if (key.exponent % 2n === 0n || key.exponent < rsaExponentMin || key.exponent >= 1n << 64n) {
        return `${text} whose exponent is not odd, at least ${rsaExponentMin} and below 2^64`
      }
      return null
    case 'ed25519':
      return allowed.includes('Ed25519') ? null : `${text}, which is not allowed`
    case 'rsa-pss':
    case 'other':
      return `${text}, which is not allowed`
  }
}

interface OpenedSpki {
  /** Stands behind the algorithm's object identifier. */
  readonly algorithm: DerReader
  readonly oid: string
  readonly keyOctets: Uint8Array
}

function openSpki(spki: Uint8Array): OpenedSpki {
  const outer = openSingle(spki, tags.sequence, 'the SubjectPublicKeyInfo')
  const algorithm = outer.enter(tags.sequence, 'the algorithm of the key')
  const oid = oidText(algorithm.take(tags.oid, 'the algorithm of the key'))
  const keyOctets = bitStringOctets(outer.take(tags.bitString, 'the key'), 'the key')
  outer.assertEnd('the SubjectPublicKeyInfo')
  if (keyOctets.length === 0) throw new DerError('the key is empty')
  return { algorithm, oid, keyOctets }
}

function curveName(algorithm: DerReader): string {
  const curve = algorithm.takeOptional(tags.oid, 'the curve')
  if (curve === null) return explicitParameters
  const oid = oidText(curve)
  return curveNames.get(oid) ?? oid
}

const curveNames: ReadonlyMap<string, KeyType> = new Map([
  [oids.p256, 'P-256'],
  [oids.p384, 'P-384'],
  [oids.p521, 'P-521'],
])

function readRsa(keyOctets: Uint8Array): {
  readonly modulusBits: number
  readonly modulus: bigint
  readonly exponent: bigint
} {
  const key = openSingle(keyOctets, tags.sequence, 'the RSA key')
  const modulus = key.take(tags.integer, 'the RSA modulus').content
  const exponent = key.take(tags.integer, 'the RSA exponent')
  key.assertEnd('the RSA key')
  const magnitude = modulus[0] === 0 ? modulus.subarray(1) : modulus
  if ((modulus[0] ?? 0) >= 0x80) throw new DerError('the RSA modulus is negative')
  if (exponent.content.length > 16) throw new DerError('the RSA exponent is longer than 16 octets')
  return {
    modulusBits: magnitude.length === 0 ? 0 : magnitude.length * 8 - (Math.clz32(magnitude[0] ?? 0) - 24),
    modulus: magnitude.length === 0 ? 0n : bigUnsigned(magnitude),
    exponent:
      exponent.content.length <= 4 ? BigInt(smallInteger(exponent, 'the RSA exponent')) : bigUnsigned(exponent.content),
  }
}

function bigUnsigned(octets: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`)
}
