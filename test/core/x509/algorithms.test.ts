import assert from 'node:assert/strict'
import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { CodingError } from '../../../src/core/errors.ts'
import { deviceProfile } from '../../../src/core/profile/built-in.ts'
import {
  algorithmFor,
  isAcceptedSignature,
  isSignedBy,
  readSignatureAlgorithm,
  signedStructure,
  signingAlgorithm,
} from '../../../src/core/x509/algorithms.ts'
import { readCertificate } from '../../../src/core/x509/certificate.ts'
import { crlToBeSigned, signedCrl } from '../../../src/core/x509/crl.ts'
import { readCrl } from '../../../src/core/x509/crl-reader.ts'
import { DerReader } from '../../../src/core/x509/der-reader.ts'
import { tags } from '../../../src/core/x509/der-tags.ts'
import { derInteger, derOid, derSequence } from '../../../src/core/x509/der-writer.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { contentOf } from '../profile/facts.ts'
import {
  ecKey,
  ed25519Key,
  makeCertificate,
  makeDevice,
  makeIssuing,
  makeRoot,
  rsaKey,
  signBytes,
  spkiOf,
} from './support.ts'

const validity = { notBeforeSec: 1_790_000_000, notAfterSec: 1_790_863_999 }

/** The AlgorithmIdentifiers as their standards write them out: RFC 5758 §3.2, RFC 8017 appendix B.1, RFC 8410 §3. */
const kinds = [
  { name: 'P-256', key: ecKey(), identifier: '300a06082a8648ce3d040302' },
  { name: 'P-384', key: ecKey('P-384'), identifier: '300a06082a8648ce3d040303' },
  { name: 'RSA', key: rsaKey(), identifier: '300d06092a864886f70d01010b0500' },
  { name: 'Ed25519', key: ed25519Key(), identifier: '300506032b6570' },
]

describe('the algorithm of a signature', () => {
  for (const { name, key, identifier } of kinds) {
    test(`by a ${name} key follows from the key, and is one that this hub verifies`, () => {
      const algorithm = signingAlgorithm(key.spki)
      assert.equal(Buffer.from(algorithm.identifier).toString('hex'), identifier)
      const read = readSignatureAlgorithm(new DerReader(algorithm.identifier).take(tags.sequence, 'it'))
      assert.deepEqual(read, { oid: algorithm.oid, parameters: algorithm.parameters })
      assert.ok(isAcceptedSignature(read))
      const bytes = Buffer.from('to be signed')
      assert.ok(isSignedBy(key.spki, read, bytes, signBytes(key, bytes)))
      for (const other of kinds.filter((each) => each.name !== name)) {
        assert.ok(!isSignedBy(other.key.spki, read, bytes, signBytes(key, bytes)))
      }
    })

    test(`by a ${name} key stands twice in a certificate and in a CRL, and OpenSSL verifies both`, () => {
      const root = makeRoot(validity, key)
      const device = makeDevice(makeIssuing(root, validity, key), validity)
      const openssl = new X509Certificate(device)
      assert.ok(openssl.verify(new X509Certificate(root.der).publicKey))
      assert.equal(Buffer.from(device).toString('hex').split(identifier).length - 1, 2)
      assert.deepEqual(readCertificate(device).authorityKeyIdentifier, root.fields.subjectKeyIdentifier)

      const dates = { thisUpdateSec: validity.notBeforeSec, nextUpdateSec: validity.notAfterSec }
      const tbs = crlToBeSigned({ issuer: root.fields, distributionPoint: null, number: 7n, ...dates, revoked: [] })
      const crl = signedCrl(tbs, signBytes(key, tbs))
      assert.equal(Buffer.from(crl).toString('hex').split(identifier).length - 1, 2)
      assert.equal(readCrl(crl).number, 7n)
    })
  }

  for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
    test(`is one with ${hash} where a profile asks for it, and the key signs what the certificate names`, () => {
      for (const key of [ecKey(), ecKey('P-384'), rsaKey()]) {
        const issuing = makeRoot(validity, key)
        const device = makeCertificate(issuing, validity, contentOf({ ...deviceProfile, hash }))
        assert.equal(readCertificate(device).signatureAlgorithm.oid, signingAlgorithm(key.spki, hash).oid)
        assert.ok(new X509Certificate(device).verify(new X509Certificate(issuing.der).publicKey))
      }
      const own = ed25519Key()
      assert.equal(signingAlgorithm(own.spki, hash).hash, null)
    })
  }

  test('over bytes that name none, or one of another kind of key, is the usual one of the key', () => {
    const named = (oid: string) => derSequence(derInteger(1), derSequence(derOid(oid)))
    const { spki } = ecKey()
    assert.equal(algorithmFor(named(oids.ecdsaWithSha512), spki).hash, 'sha512')
    assert.equal(algorithmFor(named(oids.sha512WithRsa), spki).hash, 'sha256')
    for (const bytes of [named('1.2.3'), derSequence(), new Uint8Array(), Buffer.from('text'), derInteger(1)]) {
      assert.equal(algorithmFor(bytes, spki).hash, 'sha256')
    }
  })

  test('is none for a key that no authority may have', () => {
    for (const curve of ['P-521', 'secp256k1']) assert.throws(() => signingAlgorithm(ecKey(curve).spki), CodingError)
  })

  test('of Ed25519 gives the certificate of RFC 8410 §10.2, byte for byte', () => {
    const key = createPrivateKey(
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n',
    )
    const certificate = new X509Certificate(rfc8410)
    const tbs = new DerReader(certificate.raw).enter(tags.sequence, 'it').next('it').bytes
    assert.equal(Buffer.compare(signedStructure(tbs, sign(null, tbs, key)), certificate.raw), 0)
    assert.equal(signingAlgorithm(spkiOf(key)).hash, null)
  })
})

const rfc8410 = `-----BEGIN CERTIFICATE-----
MIIBLDCB36ADAgECAghWAUdKKo3DMDAFBgMrZXAwGTEXMBUGA1UEAwwOSUVURiBUZX
N0IERlbW8wHhcNMTYwODAxMTIxOTI0WhcNNDAxMjMxMjM1OTU5WjAZMRcwFQYDVQQD
DA5JRVRGIFRlc3QgRGVtbzAqMAUGAytlbgMhAIUg8AmJMKdUdIt93LQ+91oNvzoNJj
ga9OukqY6qm05qo0UwQzAPBgNVHRMBAf8EBTADAQEAMA4GA1UdDwEBAAQEAwIDCDAg
BgNVHQ4BAQAEFgQUmx9e7e0EM4Xk97xiPFl1uQvIuzswBQYDK2VwA0EAryMB/t3J5v
/BzKc9dNZIpDmAgs3babFOTQbs+BolzlDUwsPrdGxO3YNGhW7Ibz3OGhhlxXrCe1Cg
w1AH9efZBw==
-----END CERTIFICATE-----
`
