import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import { derBitString, derInteger, derNull, derOid, derSequence } from '../../../src/core/x509/der-writer.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import {
  assertAcceptableKey,
  type KeyType,
  keyIdentifier,
  type PublicKey,
  publicKeyHash,
  readPublicKey,
} from '../../../src/core/x509/public-key.ts'
import { ecKey, rsaKey, spkiOf } from './support.ts'

const device: { readonly keyTypes: readonly KeyType[] } = { keyTypes: ['P-256', 'P-384', 'RSA'] }

function refuses(spki: Uint8Array, words: RegExp): void {
  assert.throws(
    () => assertAcceptableKey(spki, device),
    (error) => error instanceof HubError && error.code === 'csr-key-unacceptable' && words.test(error.message),
  )
}

function ecSpki(namedCurve: string, paramEncoding: 'named' | 'explicit' = 'named'): Uint8Array {
  return spkiOf(generateKeyPairSync('ec', { namedCurve, paramEncoding }).privateKey)
}

function rsaSpki(modulus: bigint, exponent: bigint): Uint8Array {
  const key = derSequence(derInteger(modulus), derInteger(exponent))
  return derSequence(derSequence(derOid(oids.rsaEncryption), derNull()), derBitString(key))
}

describe('a public key', () => {
  test('is read for what it is', () => {
    assert.deepEqual(readPublicKey(ecKey('P-384').spki), { kind: 'ec', curve: 'P-384', pointForm: 'uncompressed' })
    const { modulus, ...rsa } = readPublicKey(rsaKey(2048).spki) as PublicKey & { readonly kind: 'rsa' }
    assert.deepEqual(rsa, { kind: 'rsa', modulusBits: 2048, exponent: 65_537n })
    assert.equal(modulus.toString(2).length, 2048)
    assert.deepEqual(readPublicKey(spkiOf(generateKeyPairSync('ed25519').privateKey)), { kind: 'ed25519' })
    const other = readPublicKey(spkiOf(generateKeyPairSync('x25519').privateKey))
    assert.deepEqual(other, { kind: 'other', oid: '1.3.101.110' })
  })

  test('has the SHA-256 of its whole DER as its hash, and 20 octets as its identifier (RFC 7093 §2)', () => {
    const { spki } = ecKey()
    assert.equal(publicKeyHash(spki), createHash('sha256').update(spki).digest('hex'))
    const expected = createHash('sha256').update(spki.subarray(-65)).digest().subarray(0, 20)
    assert.equal(Buffer.from(keyIdentifier(spki)).toString('hex'), expected.toString('hex'))
  })

  test('is accepted when the profile allows its type', () => {
    for (const spki of [ecKey('P-256').spki, ecKey('P-384').spki, rsaKey(2048).spki]) assertAcceptableKey(spki, device)
  })

  test('is refused by name when the profile does not allow its type', () => {
    refuses(ecKey('P-521').spki, /an ECDSA key on P-521, which is not allowed/)
    refuses(ecSpki('secp256k1'), /an ECDSA key on 1\.3\.132\.0\.10, which/)
    refuses(spkiOf(generateKeyPairSync('ed25519').privateKey), /an Ed25519 key, which/)
    refuses(spkiOf(generateKeyPairSync('x25519').privateKey), /a key of type 1\.3\.101\.110, which/)
  })

  test('is refused with explicit curve parameters, which can hide a curve of an attacker (RFC 5480 §2.1.1)', () => {
    refuses(ecSpki('P-256', 'explicit'), /explicit parameters/)
  })

  test('is refused when its point is not on the curve, or is compressed', () => {
    const offCurve = Uint8Array.from(ecKey().spki)
    offCurve.set([offCurve.at(-1) ? 0 : 1], offCurve.length - 1)
    refuses(offCurve, /not a valid key/)
    const point = ecKey().spki.subarray(-65)
    const compressed = Uint8Array.of(2 + ((point.at(-1) ?? 0) & 1), ...point.subarray(1, 33))
    const algorithm = derSequence(derOid(oids.ecPublicKey), derOid(oids.p256))
    refuses(derSequence(algorithm, derBitString(compressed)), /uncompressed/)
  })

  test('is refused when RSA numbers are weak or absurd', () => {
    refuses(rsaKey(1024).spki, /1024 bits, outside/)
    refuses(rsaKey(2048, 3).spki, /exponent/)
    const odd = (1n << 2047n) + 1n
    refuses(rsaSpki(odd, 65_538n), /exponent/)
    refuses(rsaSpki(odd, (1n << 64n) + 1n), /exponent/)
    refuses(rsaSpki(odd + 1n, 65_537n), /modulus is even/)
    refuses(rsaSpki((1n << 8191n) + 1n, 65_537n), /8192 bits, outside/)
    refuses(rsaSpki(0n, 65_537n), /0 bits/)
  })

  test('is refused when it is no SubjectPublicKeyInfo', () => {
    refuses(new Uint8Array(), /cannot be read/)
    refuses(derSequence(), /cannot be read/)
  })
})
