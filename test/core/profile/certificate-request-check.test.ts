import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import type { IdentityId } from '../../../src/core/identity/id.ts'
import { assertRequestFitsDevice } from '../../../src/core/profile/certificate-request-check.ts'
import { deviceProfile } from '../../../src/core/profile/profile.ts'
import { parseCertificateRequest } from '../../../src/core/x509/certificate-request.ts'
import { derNull, derSequence, derUtf8String } from '../../../src/core/x509/der-writer.ts'
import {
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from '../../../src/core/x509/extensions.ts'
import { buildName } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { keyIdentifier } from '../../../src/core/x509/public-key.ts'
import { attribute, makeRequest, type RequestShape } from '../x509/request-support.ts'
import { ecKey } from '../x509/support.ts'

const id = 'pump-1' as IdentityId
const uri = 'spiffe://plant.example/device/pump-1'

function check(shape: RequestShape): void {
  assertRequestFitsDevice(parseCertificateRequest(makeRequest(shape)), id, uri, deviceProfile)
}

function refuses(shape: RequestShape, words: RegExp, code = 'csr-asks-too-much'): void {
  assert.throws(
    () => check(shape),
    (error) => error instanceof HubError && error.code === code && words.test(error.message),
  )
}

function extension(oid: string, value: Uint8Array): Extension {
  return { oid, critical: false, value }
}

describe('a certificate request fits a device', () => {
  test('with an empty subject, or with its id as the only common name', () => {
    check({})
    check({ subject: buildName('pump-1') })
  })

  test('when it asks for no more than the profile gives anyway', () => {
    const key = ecKey()
    const extensions = [
      extension(oids.basicConstraints, derSequence()),
      keyUsage(['digitalSignature']),
      extendedKeyUsage([oids.clientAuth]),
      subjectAltName({ uris: [uri] }, true),
      subjectKeyIdentifier(keyIdentifier(key.spki)),
    ]
    check({ key, extensions, attributes: [attribute('1.2.3', derUtf8String('unstructured'))] })
  })
})

describe('a certificate request asks too much', () => {
  test('with the name of another, or with anything beside its own', () => {
    refuses({ subject: buildName('pump-2') }, /the subject "CN=pump-2", but the identity is "pump-1"/)
    refuses({ subject: buildName('pump-1', 'Plant') }, /the subject "CN=pump-1,O=Plant"/)
    refuses({ subject: buildName('PUMP-1') }, /the subject/)
    refuses({ subject: buildName('pump-1\u0000') }, /the subject "CN=pump-1\\\\00"/)
  })

  test('with an extension that would give more rights or other names', () => {
    refuses({ extensions: [basicConstraints(0)] }, /basicConstraints with "cA"/)
    refuses({ extensions: [keyUsage(['digitalSignature', 'keyCertSign'])] }, /keyUsage with "keyCertSign"/)
    refuses({ extensions: [extendedKeyUsage([oids.clientAuth, oids.serverAuth])] }, /with "serverAuth"/)
    const other = 'spiffe://plant.example/device/pump-2'
    refuses({ extensions: [subjectAltName({ uris: [uri, other] }, false)] }, /subjectAltName with "spiffe:.*pump-2"/)
    refuses({ extensions: [subjectAltName({ dnsNames: ['hub.example'] }, false)] }, /"hub\.example"/)
    refuses({ extensions: [subjectAltName({ ipAddresses: ['192.0.2.1'] }, false)] }, /"192\.0\.2\.1"/)
    refuses({ extensions: [subjectKeyIdentifier(Uint8Array.of(1, 2))] }, /subjectKeyIdentifier with "0102"/)
    refuses({ extensions: [extension('2.5.29.56', derNull())] }, /2\.5\.29\.56 with "0500"/)
  })

  test('and is unreadable where the extension itself is malformed', () => {
    refuses({ extensions: [extension(oids.keyUsage, derNull())] }, /keyUsage/, 'csr-unreadable')
  })
})
