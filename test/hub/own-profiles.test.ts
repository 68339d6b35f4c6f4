/** Profiles of an operator's own, whatever they say, from the registry through lint and signature to the certificate. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { deviceProfile, dualProfile, serverProfile } from '../../src/core/profile/built-in.ts'
import type { Profile } from '../../src/core/profile/profile.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { addProfile } from '../../src/hub/change-profiles.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { registerDevice } from '../../src/hub/register-device.ts'
import { makeRequest } from '../core/x509/request-support.ts'
import { ecKey, ed25519Key, rsaKey, type TestKey } from '../core/x509/support.ts'
import { type HubParts, hubParts } from '../support/hub-parts.ts'

const id = 'press-4'
const names = { dnsNames: ['press-4.plant.example'], ipAddresses: ['10.3.0.11', '2001:db8::7'] }

async function certificateOf(hub: HubParts, profile: Profile, key: TestKey = ecKey(), more: object = {}) {
  await addProfile(hub, hub.actor, profile)
  const request = { id, group: 'line 2', attributes: { site: 'hall-2', serial: 'SN-7' }, tokenLifetimeSec: 3_600 }
  const { tokenText } = await registerDevice(hub, hub.actor, { ...request, profiles: [profile.name], ...more })
  const hash = key.privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const { certificate } = await enrol(hub, { tokenText, claimedId: id, certificateRequest: makeRequest({ key, hash }) })
  return { fields: readCertificate(certificate), x509: new X509Certificate(certificate) }
}

describe('a certificate is made from a profile of an operator', () => {
  test('with both purposes, ten days and RSA of 4096 bits', async (t) => {
    const hub = await hubParts(t)
    const { fields, x509 } = await certificateOf(
      hub,
      {
        ...deviceProfile,
        name: 'ezca',
        keyUsage: ['digitalSignature', 'keyEncipherment'],
        extendedKeyUsage: [oids.clientAuth, oids.serverAuth],
        names: { ...deviceProfile.names, dns: { patterns: ['{id}'], registry: false, requester: [] } },
        keyTypes: ['RSA-4096'],
      },
      rsaKey(4096),
    )
    assert.deepEqual(fields.keyUsage, ['digitalSignature', 'keyEncipherment'])
    assert.deepEqual(fields.extendedKeyUsage, [oids.clientAuth, oids.serverAuth])
    assert.equal(x509.checkHost(id), id)
    assert.equal(fields.notAfterSec - fields.notBeforeSec, 10 * 86_400 + deviceProfile.backdateSec - 1)
  })

  test('with a subject of several attributes, in their order', async (t) => {
    const { x509 } = await certificateOf(await hubParts(t), {
      ...deviceProfile,
      name: 'named',
      subject: [
        { type: 'countryName', value: 'DE' },
        { type: 'organizationName', value: 'Müller & Söhne' },
        { type: 'organizationalUnitName', value: '{group}' },
        { type: 'serialNumber', value: '{attr.serial}' },
        { type: 'commonName', value: '{id}' },
      ],
    })
    assert.equal(x509.subject, 'C=DE\nO=Müller & Söhne\nOU=line 2\nserialNumber=SN-7\nCN=press-4')
  })

  test('with an empty subject, whose names are critical then', async (t) => {
    const { fields } = await certificateOf(await hubParts(t), {
      ...deviceProfile,
      name: 'unnamed',
      subject: [],
      mayConnect: false,
    })
    assert.equal(fields.subject.attributes.length, 0)
    assert.equal(fields.extensions.get(oids.subjectAltName)?.critical, true)
  })

  test('for mbedTLS, with its addresses as DNS names too', async (t) => {
    const profile: Profile = {
      ...serverProfile,
      name: 'mbedtls-server',
      subject: [{ type: 'commonName', value: '{id}' }],
      compatibility: 'mbedtls',
      names: { ...serverProfile.names, addressesAsDns: true },
    }
    const { fields } = await certificateOf(await hubParts(t), profile, ecKey(), names)
    assert.deepEqual(fields.dnsNames, ['press-4.plant.example', '10.3.0.11'])
    assert.deepEqual(fields.ipAddresses, names.ipAddresses)
  })

  for (const hash of ['sha384', 'sha512'] as const) {
    test(`signed with ${hash}`, async (t) => {
      const hub = await hubParts(t)
      const { x509 } = await certificateOf(hub, { ...deviceProfile, name: 'hashed', hash })
      const issuing = new X509Certificate(hub.issuing.certificate)
      assert.ok(x509.verify(issuing.publicKey))
      assert.ok(x509.checkIssued(issuing))
    })
  }

  test('for a key of Ed25519, where it says so', async (t) => {
    const profile: Profile = { ...deviceProfile, name: 'edwards', keyTypes: ['Ed25519'] }
    const { x509 } = await certificateOf(await hubParts(t), profile, ed25519Key())
    assert.equal(x509.publicKey.asymmetricKeyType, 'ed25519')
  })

  test('with names from patterns and from the registry side by side, each once', async (t) => {
    const profile: Profile = {
      ...dualProfile,
      name: 'both',
      names: {
        ...dualProfile.names,
        dns: { patterns: ['{id}.plant.example', '{id}.{attr.site}.{realm}'], registry: true, requester: [] },
      },
    }
    const { fields } = await certificateOf(await hubParts(t), profile, ecKey(), names)
    assert.deepEqual(fields.dnsNames, ['press-4.plant.example', 'press-4.hall-2.plant.example'])
  })

  test('that names no place of its status, where it says so', async (t) => {
    const profile: Profile = { ...deviceProfile, name: 'silent', status: { crl: false, ocsp: false } }
    const { fields } = await certificateOf(await hubParts(t), profile)
    assert.deepEqual(fields.crlDistributionPoints, [])
    assert.ok(!fields.extensions.has(oids.authorityInfoAccess))
  })

  test('for other uses than TLS, by the number of their purpose', async (t) => {
    const purpose = '1.3.6.1.4.1.55738.7'
    const profile: Profile = { ...deviceProfile, name: 'signer', extendedKeyUsage: [purpose], mayConnect: false }
    const { fields } = await certificateOf(await hubParts(t), profile)
    assert.deepEqual(fields.extendedKeyUsage, [purpose])
  })
})

test('more profiles than the hub keeps are refused', async (t) => {
  const hub = await hubParts(t)
  const add = (n: number) => addProfile(hub, hub.actor, { ...deviceProfile, name: `own-${n}` })
  for (let n = 0; n < limits.profilesMax; n++) await add(n)
  await assert.rejects(add(limits.profilesMax), { code: 'profiles-too-many' })
})
