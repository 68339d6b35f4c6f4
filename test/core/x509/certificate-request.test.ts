import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../../src/core/errors.ts'
import type { FailureName } from '../../../src/core/failure/catalogue.ts'
import { parseCertificateRequest, verifyCertificateRequest } from '../../../src/core/x509/certificate-request.ts'
import { derOid, derSequence, derUtf8String } from '../../../src/core/x509/der-writer.ts'
import { encodeExtensions, extendedKeyUsage, keyUsage } from '../../../src/core/x509/extensions.ts'
import { buildName } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { attribute, makeRequest } from './request-support.ts'
import { ecKey, rsaKey, spkiOf } from './support.ts'

function refuses(run: () => unknown, code: FailureName, words = /./): void {
  assert.throws(run, (error) => error instanceof HubError && error.code === code && words.test(error.message))
}

describe('a certificate request', () => {
  test('gives back everything that was put in', () => {
    const key = ecKey()
    const extensions = [keyUsage(['digitalSignature']), extendedKeyUsage([oids.clientAuth])]
    const attributes = [
      attribute(oids.challengePassword, derUtf8String('s3cret')),
      attribute('1.2.3', derUtf8String('x')),
    ]
    const request = parseCertificateRequest(makeRequest({ subject: buildName('pump-1'), key, extensions, attributes }))
    assert.deepEqual(
      request.subject.attributes.map(({ value }) => value),
      ['pump-1'],
    )
    assert.deepEqual(Buffer.from(request.publicKey), Buffer.from(key.spki))
    assert.deepEqual(
      request.requestedExtensions.map(({ oid, critical }) => [oid, critical]),
      [
        [oids.keyUsage, true],
        [oids.extendedKeyUsage, false],
      ],
    )
    assert.equal(request.challengePassword, 's3cret')
    assert.deepEqual(request.otherAttributes, ['1.2.3'])
    verifyCertificateRequest(request)
  })

  test('verifies with every accepted algorithm', () => {
    const rsa = rsaKey()
    const edwards = generateKeyPairSync('ed25519').privateKey
    for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
      verifyCertificateRequest(parseCertificateRequest(makeRequest({ hash })))
      verifyCertificateRequest(parseCertificateRequest(makeRequest({ hash, key: rsa })))
    }
    const key = { privateKey: edwards, spki: spkiOf(edwards) }
    verifyCertificateRequest(parseCertificateRequest(makeRequest({ key, hash: null })))
  })

  test('signed with SHA-1 proves nothing', () => {
    const weak = parseCertificateRequest(makeRequest({ hash: 'sha1' }))
    refuses(() => verifyCertificateRequest(weak), 'csr-signature-invalid', /ecdsaWithSha1/)
  })

  test('with the key of another is refused, because it proves no possession', () => {
    const request = parseCertificateRequest(makeRequest())
    const stolen = { ...request, publicKey: ecKey().spki }
    refuses(() => verifyCertificateRequest(stolen), 'csr-signature-invalid', /does not verify/)
    const otherType = { ...request, publicKey: rsaKey().spki }
    refuses(() => verifyCertificateRequest(otherType), 'csr-signature-invalid', /does not verify/)
  })

  test('changed anywhere after it was signed is refused', () => {
    const der = makeRequest({ subject: buildName('pump-1') })
    fc.assert(
      fc.property(fc.nat({ max: der.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
        const changed = Uint8Array.from(der)
        changed[index] = (changed[index] ?? 0) ^ mask
        assert.throws(
          () => verifyCertificateRequest(parseCertificateRequest(changed)),
          (error) => error instanceof HubError && /^csr-(unreadable|signature-invalid)$/.test(error.code),
        )
      }),
      { numRuns: 1_000 },
    )
  })

  test('cut short or continued is unreadable', () => {
    const der = makeRequest({ extensions: [keyUsage(['digitalSignature'])] })
    for (let length = 0; length < der.length; length += 1) {
      refuses(() => parseCertificateRequest(der.subarray(0, length)), 'csr-unreadable')
    }
    refuses(() => parseCertificateRequest(Uint8Array.of(...der, 0)), 'csr-unreadable')
  })

  test('is unreadable when it asks twice, or has a version of its own', () => {
    const extension = encodeExtensions([keyUsage(['digitalSignature'])])
    const twice = [attribute(oids.extensionRequest, extension), attribute(oids.microsoftExtensionRequest, extension)]
    refuses(() => parseCertificateRequest(makeRequest({ attributes: twice })), 'csr-unreadable', /twice/)
    const same = [keyUsage(['digitalSignature']), keyUsage(['cRLSign'])]
    refuses(() => parseCertificateRequest(makeRequest({ extensions: same })), 'csr-unreadable', /keyUsage comes twice/)
    refuses(() => parseCertificateRequest(makeRequest({ version: 1 })), 'csr-unreadable', /version/)
    const broken = [derSequence(derOid(oids.extensionRequest), derUtf8String('x'))]
    refuses(() => parseCertificateRequest(makeRequest({ attributes: broken })), 'csr-unreadable', /tag/)
  })

  test('of any bytes throws nothing but its own failures', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        refuses(() => parseCertificateRequest(bytes), 'csr-unreadable')
      }),
    )
  })
})
