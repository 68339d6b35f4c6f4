import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import { limits } from '../../../src/core/limits.ts'
import { contextConstructed, tags } from '../../../src/core/x509/der-tags.ts'
import { derElement, derNull, derOctetString, derOid, derSequence } from '../../../src/core/x509/der-writer.ts'
import { issuerHash, parseOcspRequest } from '../../../src/core/x509/ocsp-request.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { certificateId, nonce, ocspRequest } from './ocsp-support.ts'
import { makeIssuing, makeRoot } from './support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const root = makeRoot(validity)
const issuing = makeIssuing(root, validity)
const serial = '4a'.repeat(20)
const id = certificateId(issuing.fields, serial)

function refuses(der: Uint8Array, words: RegExp): void {
  assert.throws(
    () => parseOcspRequest(der),
    (error) => error instanceof HubError && error.code === 'ocsp-request-unreadable' && words.test(error.message),
    words.source,
  )
}

describe('an OCSP request', () => {
  test('names a certificate by the hashes of its issuer, SHA-1 or SHA-256, and by its serial number', () => {
    for (const hash of ['sha1', 'sha256'] as const) {
      const der = certificateId(issuing.fields, serial, hash)
      const { certificates, nonce } = parseOcspRequest(ocspRequest([der]))
      assert.equal(nonce, null)
      assert.equal(certificates.length, 1)
      assert.equal(certificates[0]?.hash, hash)
      assert.equal(certificates[0]?.serialNumber, serial)
      assert.equal(certificates[0]?.issuer, issuerHash(hash, issuing.fields))
      assert.notEqual(certificates[0]?.issuer, issuerHash(hash, root.fields))
      assert.deepEqual(Buffer.from(certificates[0]?.der ?? []), Buffer.from(der))
    }
  })

  test('may leave out the parameters of the hash, and may not have others than NULL', () => {
    const absent = certificateId(issuing.fields, serial, 'sha1', new Uint8Array())
    assert.equal(parseOcspRequest(ocspRequest([absent])).certificates[0]?.hash, 'sha1')
    refuses(
      ocspRequest([certificateId(issuing.fields, serial, 'sha1', derOctetString(new Uint8Array()))]),
      /parameters/,
    )
  })

  test('with another hash is read, and names no issuer that could be found', () => {
    const [asked] = parseOcspRequest(ocspRequest([certificateId(issuing.fields, serial, 'sha384')])).certificates
    assert.equal(asked?.hash, null)
  })

  test('may ask for several certificates, up to a limit, and must ask for one', () => {
    const many = new Array<Uint8Array>(limits.ocspCertificatesMax).fill(id)
    assert.equal(parseOcspRequest(ocspRequest(many)).certificates.length, limits.ocspCertificatesMax)
    refuses(ocspRequest([...many, id]), /more than/)
    refuses(ocspRequest([]), /no certificate/)
  })

  test('has a nonce of 1 to 128 octets or none (RFC 9654 §2.1)', () => {
    for (const length of [1, 32, 128]) {
      const octets = new Uint8Array(length).fill(7)
      const request = ocspRequest([id], { extensions: [nonce(octets, length === 32)] })
      assert.deepEqual(Buffer.from(parseOcspRequest(request).nonce ?? []), Buffer.from(octets))
    }
    for (const length of [0, 129]) {
      refuses(ocspRequest([id], { extensions: [nonce(new Uint8Array(length))] }), /nonce/)
    }
    const bare = { oid: oids.ocspNonce, critical: false, value: Uint8Array.of(7, 7) }
    refuses(ocspRequest([id], { extensions: [bare] }), /./)
    refuses(ocspRequest([id], { extensions: [nonce(Uint8Array.of(1)), nonce(Uint8Array.of(2))] }), /twice/)
  })

  test('with an unknown extension is answered, unless that is critical, of the whole or of one certificate', () => {
    const unknown = { oid: '1.3.6.1.5.5.7.48.1.4', critical: false, value: derNull() }
    const critical = { ...unknown, critical: true }
    parseOcspRequest(ocspRequest([id], { extensions: [unknown], singleExtensions: [unknown] }))
    refuses(ocspRequest([id], { extensions: [critical] }), /critical/)
    refuses(ocspRequest([id], { singleExtensions: [critical] }), /critical/)
  })

  test('may be signed and say its version, which must be 1', () => {
    const signature = derElement(contextConstructed(0), derSequence(derSequence(derOid(oids.ecdsaWithSha256))))
    parseOcspRequest(ocspRequest([id], { version: 0, more: [signature] }))
    refuses(ocspRequest([id], { version: 1 }), /version 2/)
    refuses(ocspRequest([id], { more: [signature, signature] }), /more/)
  })

  test('may not have hashes of another length than their algorithm gives, nor a serial number beyond measure', () => {
    const short = derSequence(
      derSequence(derOid(oids.sha256), derNull()),
      ...[derOctetString(new Uint8Array(20)), derOctetString(new Uint8Array(32))],
      derElement(tags.integer, Uint8Array.of(1)),
    )
    refuses(ocspRequest([short]), /length/)
    refuses(ocspRequest([certificateId(issuing.fields, '01'.repeat(33))]), /too long/)
  })

  test('cut short, continued or larger than the limit is unreadable', () => {
    const der = ocspRequest([id], { extensions: [nonce(new Uint8Array(16))] })
    for (let length = 0; length < der.length; length += 1) refuses(der.subarray(0, length), /./)
    refuses(Uint8Array.of(...der, 0), /./)
    const padding = { oid: '1.2.3', critical: false, value: new Uint8Array(limits.ocspRequestBytesMax) }
    refuses(ocspRequest([id], { extensions: [padding] }), /bytes long/)
  })

  test('of any bytes or any change throws nothing but its own failure', () => {
    const der = ocspRequest([id], { extensions: [nonce(new Uint8Array(16))] })
    const isRead = (bytes: Uint8Array): void => {
      try {
        parseOcspRequest(bytes)
      } catch (error) {
        assert.ok(error instanceof HubError && error.code === 'ocsp-request-unreadable', String(error))
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), isRead))
    fc.assert(
      fc.property(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 }), (index, octet) => {
        const changed = Uint8Array.from(der)
        changed[index] = octet
        isRead(changed)
      }),
      { numRuns: 1_000 },
    )
  })
})
