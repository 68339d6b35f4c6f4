import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CodingError, HubError } from '../../../src/core/errors.ts'
import { signingAlgorithm } from '../../../src/core/x509/algorithms.ts'
import { certificateFingerprint, readCertificate } from '../../../src/core/x509/certificate.ts'
import { toBeSigned } from '../../../src/core/x509/certificate-builder.ts'
import { derBitString, derInteger, derOid, derSequence, derTime } from '../../../src/core/x509/der-writer.ts'
import { addressOctets, addressText, keyUsage } from '../../../src/core/x509/extensions.ts'
import { buildName, emptyName, nameText } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { keyIdentifier } from '../../../src/core/x509/public-key.ts'
import { crlUrl, ecKey, makeDevice, makeIssuing, makeRoot, makeServer, newSerial, signBytes } from './support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }
const root = makeRoot(validity)
const issuing = makeIssuing(root, validity)

describe('a certificate', () => {
  test('of a device says what its profile gives and nothing else', () => {
    const key = ecKey()
    const fields = readCertificate(makeDevice(issuing, validity, key))
    assert.equal(fields.version, 3)
    assert.match(fields.serialNumber, /^[4-7][0-9a-f]{39}$/)
    assert.equal(nameText(fields.subject), 'CN=pump-1')
    assert.deepEqual(fields.issuer.der, issuing.fields.subject.der)
    assert.deepEqual([fields.notBeforeSec, fields.notAfterSec], [validity.notBeforeSec, validity.notAfterSec])
    assert.deepEqual(fields.uris, ['spiffe://plant.example/device/pump-1'])
    assert.deepEqual(fields.keyUsage, ['digitalSignature'])
    assert.deepEqual(fields.extendedKeyUsage, [oids.clientAuth])
    assert.deepEqual(fields.crlDistributionPoints, [crlUrl])
    assert.deepEqual(fields.subjectKeyIdentifier, keyIdentifier(key.spki))
    assert.deepEqual(fields.authorityKeyIdentifier, issuing.fields.subjectKeyIdentifier)
    assert.equal(fields.basicConstraints, null)
    assert.deepEqual([fields.dnsNames, fields.ipAddresses], [[], []])
    const critical = [...fields.extensions.values()].filter((extension) => extension.critical)
    assert.deepEqual(
      critical.map(({ oid }) => oid),
      [oids.keyUsage],
    )
  })

  test('of an authority is critical about being one', () => {
    assert.deepEqual(root.fields.basicConstraints, { ca: true, pathLength: 1 })
    assert.deepEqual(issuing.fields.basicConstraints, { ca: true, pathLength: 0 })
    assert.deepEqual(root.fields.keyUsage, ['keyCertSign', 'cRLSign'])
    assert.equal(root.fields.extensions.get(oids.basicConstraints)?.critical, true)
    assert.equal(root.fields.authorityKeyIdentifier, null)
  })

  test('of a server carries its names and addresses', () => {
    const names = { dnsNames: ['hub.plant.example'], ipAddresses: ['192.0.2.7', '2001:db8::1'] }
    const fields = readCertificate(makeServer(issuing, validity, names))
    assert.deepEqual({ dnsNames: fields.dnsNames, ipAddresses: fields.ipAddresses }, names)
    assert.equal(nameText(fields.subject), 'CN=hub.plant.example')
  })

  test('of a server with a long name has an empty subject and critical alternative names (RFC 5280 §4.2.1.6)', () => {
    const long = `${'a'.repeat(60)}.plant.example`
    const fields = readCertificate(makeServer(issuing, validity, { dnsNames: [long], ipAddresses: [] }))
    assert.deepEqual(fields.subject.der, emptyName)
    assert.equal(fields.extensions.get(oids.subjectAltName)?.critical, true)
  })

  test('is read by OpenSSL with the same fingerprint, serial number and dates', () => {
    const der = makeDevice(issuing, validity)
    const theirs = new X509Certificate(der)
    const fields = readCertificate(der)
    assert.equal(theirs.fingerprint256.replaceAll(':', '').toLowerCase(), certificateFingerprint(der))
    assert.equal(theirs.serialNumber.toLowerCase(), fields.serialNumber)
    assert.equal(theirs.validFromDate.getTime() / 1000, fields.notBeforeSec)
    assert.equal(theirs.validToDate.getTime() / 1000, fields.notAfterSec)
    assert.ok(theirs.verify(new X509Certificate(issuing.der).publicKey))
  })

  test('of the same template has the same bytes', () => {
    const key = ecKey()
    const template = {
      serialNumber: newSerial(),
      signatureAlgorithm: signingAlgorithm(key.spki),
      issuer: buildName('ca'),
      subject: buildName('ca'),
      validity,
      publicKey: key.spki,
      authorityKeyIdentifier: null,
      extensions: [keyUsage(['digitalSignature'])],
    }
    assert.deepEqual(toBeSigned(template), toBeSigned(template))
    const wrong = [
      { serialNumber: new Uint8Array(20) },
      { serialNumber: Uint8Array.of(0x80) },
      { serialNumber: new Uint8Array(21).fill(1) },
      { issuer: buildName('other') },
      { issuer: emptyName, subject: emptyName },
      { extensions: [keyUsage(['digitalSignature']), keyUsage(['cRLSign'])] },
      { validity: { notBeforeSec: 2, notAfterSec: 1 } },
    ]
    for (const change of wrong) assert.throws(() => toBeSigned({ ...template, ...change }), CodingError)
  })

  test('without extensions, of version 1, is read too: strangers have them', () => {
    const fields = readCertificate(versionOne())
    assert.equal(fields.version, 1)
    assert.equal(fields.extensions.size, 0)
    assert.equal(nameText(fields.subject), 'CN=old')
  })

  test('changed or cut short throws nothing but certificate-unreadable', () => {
    const der = makeDevice(issuing, validity)
    const isRefusal = (error: unknown): boolean => error instanceof HubError && error.code === 'certificate-unreadable'
    for (let length = 0; length < der.length; length += 1) {
      assert.throws(() => readCertificate(der.subarray(0, length)), isRefusal)
    }
    fc.assert(
      fc.property(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 }), (index, octet) => {
        const changed = Uint8Array.from(der)
        changed[index] = octet
        try {
          readCertificate(changed)
        } catch (error) {
          assert.ok(isRefusal(error), String(error))
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

test('addresses go through their octets and come back canonical', () => {
  for (const [text, canonical] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::1', '::1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['::', '::'],
  ] as const) {
    assert.equal(addressText(addressOctets(text)), canonical)
  }
  for (const text of ['256.0.0.1', '1.2.3', 'fe80::1%eth0', 'host', '', '1:2', '::1]/x[']) {
    assert.throws(
      () => addressOctets(text),
      (error) => error instanceof HubError && error.code === 'config-invalid',
    )
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
      assert.deepEqual(Uint8Array.from(addressOctets(addressText(octets) ?? '')), octets)
    }),
  )
})

/** A self-signed certificate as version 1 has it: without the version field and without extensions. */
function versionOne(): Uint8Array {
  const key = ecKey()
  const algorithm = derSequence(derOid(oids.ecdsaWithSha256))
  const dates = derSequence(derTime(validity.notBeforeSec), derTime(validity.notAfterSec))
  const name = buildName('old')
  const tbs = derSequence(derInteger(7), algorithm, name, dates, name, key.spki)
  return derSequence(tbs, algorithm, derBitString(signBytes(key, tbs)))
}
