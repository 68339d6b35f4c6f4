import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HubError } from '../../../src/core/errors.ts'
import type { IdentityId } from '../../../src/core/identity/id.ts'
import { deviceProfile, dualProfile } from '../../../src/core/profile/built-in.ts'
import type { CertificateContent } from '../../../src/core/profile/certificate-content.ts'
import { assertRequestFits } from '../../../src/core/profile/request-check.ts'
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
import { buildName, encodeName } from '../../../src/core/x509/name.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { keyIdentifier } from '../../../src/core/x509/public-key.ts'
import { attribute, makeRequest, type RequestShape } from '../x509/request-support.ts'
import { ecKey } from '../x509/support.ts'
import { contentOf } from './facts.ts'

const uri = 'spiffe://plant.example/device/pump-1'

function check(shape: RequestShape, content = contentOf(deviceProfile)): void {
  assertRequestFits(parseCertificateRequest(makeRequest(shape)), content)
}

function refuses(
  shape: RequestShape,
  words: RegExp,
  code = 'csr-asks-too-much',
  content: CertificateContent = contentOf(deviceProfile),
): void {
  assert.throws(
    () => check(shape, content),
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
    refuses({ extensions: [extension('2.5.29.56', derNull())] }, /noRevAvail with "0500"/)
  })

  test('and is unreadable where the extension itself is malformed', () => {
    refuses({ extensions: [extension(oids.keyUsage, derNull())] }, /keyUsage/, 'csr-unreadable')
  })
})

describe('a certificate request for a device that serves', () => {
  const names = { dnsNames: ['press-4.plant.example'], ipAddresses: ['10.3.0.11'], emails: [] }
  const content = contentOf(dualProfile, { id: 'press-4' as IdentityId, names })

  test('fits with the names that the registry holds, or with some of them', () => {
    check(
      { extensions: [subjectAltName({ dnsNames: ['PRESS-4.plant.example'], ipAddresses: ['10.3.0.11'] }, false)] },
      content,
    )
    check({ extensions: [subjectAltName({ ipAddresses: ['10.3.0.11'] }, false)] }, content)
  })

  test('asks too much with an address beyond them, as GHSA-g892-p242-8g86 let pass', () => {
    const asked = subjectAltName({ dnsNames: names.dnsNames, ipAddresses: ['10.3.0.12'] }, false)
    refuses({ extensions: [asked] }, /subjectAltName with "10\.3\.0\.12"/, 'csr-asks-too-much', content)
  })

  test('asks too much with a wildcard, a mailbox or a name of another', () => {
    const others = [
      { dnsNames: ['*.plant.example'] },
      { dnsNames: ['press-5.plant.example'] },
      { emails: ['root@plant.example'] },
    ]
    for (const asked of others) {
      refuses({ extensions: [subjectAltName(asked, false)] }, /subjectAltName with/, 'csr-asks-too-much', content)
    }
  })

  test('asks too much with an attribute of the subject that the certificate has once and the request twice', () => {
    const attribute = { oid: oids.commonName, value: 'press-4', form: 'utf8' } as const
    check({ subject: encodeName([attribute]) }, content)
    refuses({ subject: encodeName([attribute, attribute]) }, /the subject/, 'csr-asks-too-much', content)
  })
})

test('a profile that ignores excess takes the key of a request and looks at nothing else', () => {
  const profile = { ...deviceProfile, excess: 'ignore' } as const
  const extensions = [basicConstraints(0), subjectAltName({ dnsNames: ['*.example'] }, false)]
  check({ subject: buildName('admin'), extensions }, contentOf(profile))
})
