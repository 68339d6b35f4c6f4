/** What an identity is granted is what it gets: no token, label or certificate request reaches another profile or name. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { deviceProfile, dualProfile } from '../../src/core/profile/built-in.ts'
import type { Profile } from '../../src/core/profile/profile.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { extendedKeyUsage, subjectAltName } from '../../src/core/x509/extensions.ts'
import { buildName } from '../../src/core/x509/name.ts'
import { oids } from '../../src/core/x509/oids.ts'
import { addProfile, changeProfile } from '../../src/hub/change-profiles.ts'
import { editDevice } from '../../src/hub/edit-device.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { grantToken, registerDevice, type TokenGrant } from '../../src/hub/register-device.ts'
import { makeRequest, type RequestShape } from '../core/x509/request-support.ts'
import { type HubParts, hubParts } from '../support/hub-parts.ts'

const daySec = 86_400

function refuses(code: FailureName, words = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HubError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, words)
    return true
  }
}

function press(hub: HubParts, more: object = {}): Promise<TokenGrant> {
  const request = { id: 'press-4', group: null, attributes: {}, tokenLifetimeSec: daySec }
  return registerDevice(hub, hub.actor, { ...request, ...more })
}

function enrolled(hub: HubParts, { tokenText }: TokenGrant, shape: RequestShape = {}) {
  return enrol(hub, { tokenText, claimedId: '', certificateRequest: makeRequest(shape) })
}

const both = { profiles: ['device', 'dual'], dnsNames: ['press-4.plant.example'], ipAddresses: ['10.3.0.11'] }

describe('a token', () => {
  test('leads to the profile that it is for, with the names of the registry', async (t) => {
    const hub = await hubParts(t)
    const grant = await press(hub, { ...both, tokenProfile: 'dual' })
    assert.equal(grant.token.profile, 'dual')
    const credential = await enrolled(hub, grant)
    assert.equal(credential.profile, 'dual')
    const fields = readCertificate(credential.certificate)
    assert.deepEqual(fields.extendedKeyUsage, [oids.clientAuth, oids.serverAuth])
    assert.deepEqual([fields.dnsNames, fields.ipAddresses], [both.dnsNames, both.ipAddresses])
    assert.equal(
      new X509Certificate(credential.certificate).checkHost('press-4.plant.example'),
      'press-4.plant.example',
    )
  })

  test('is for the usual profile of a device where nobody says another, and for none that it is not granted', async (t) => {
    const hub = await hubParts(t)
    assert.equal((await press(hub, both)).token.profile, 'device')
    const { identity } = await press(hub, { id: 'press-5', profiles: ['dual'] })
    assert.equal((await grantToken(hub, hub.actor, identity.id, daySec)).token.profile, 'dual')
    await assert.rejects(
      grantToken(hub, hub.actor, identity.id, daySec, { profile: 'device' }),
      refuses('profile-not-granted'),
    )
    await assert.rejects(press(hub, { id: 'press-6', tokenProfile: 'dual' }), refuses('profile-not-granted'))
    await assert.rejects(
      press(hub, { id: 'press-7', profiles: ['user'] }),
      refuses('profile-not-granted', /not for a device/),
    )
    for (const name of ['root', 'issuing', 'ocsp']) {
      await assert.rejects(press(hub, { id: 'press-8', profiles: [name] }), refuses('profile-not-granted'))
    }
    await assert.rejects(press(hub, { id: 'press-9', profiles: ['none'] }), refuses('profile-not-found'))
  })

  test('opens nothing more when its profile was taken away since', async (t) => {
    const hub = await hubParts(t)
    const grant = await press(hub, { ...both, tokenProfile: 'dual' })
    await editDevice(hub, hub.actor, grant.identity.id, { profiles: ['device'] }, null)
    await assert.rejects(
      enrolled(hub, grant),
      refuses('profile-not-granted', /"press-4" has not been granted the profile "dual"/),
    )
    await editDevice(hub, hub.actor, grant.identity.id, { profiles: ['device', 'dual'] }, null)
    assert.equal((await enrolled(hub, grant)).profile, 'dual')
  })

  test('follows a profile that was changed since, in this and every other process', async (t) => {
    const hub = await hubParts(t)
    const own: Profile = { ...deviceProfile, name: 'short', keyTypes: ['P-256'] }
    await addProfile(hub, hub.actor, own)
    const grant = await press(hub, { profiles: ['short'] })
    await changeProfile(hub, hub.actor, 'short', (before) => ({ ...before, lifetimeSec: 3_600 }), null)
    const { notBeforeSec, notAfterSec } = await enrolled(hub, grant)
    assert.equal(notAfterSec - notBeforeSec, 3_600 + deviceProfile.backdateSec - 1)
  })
})

describe('a certificate request', () => {
  test('does not get an address beyond those of the registry (as GHSA-g892-p242-8g86 let)', async (t) => {
    const hub = await hubParts(t)
    const grant = await press(hub, { ...both, tokenProfile: 'dual' })
    const asked = subjectAltName({ dnsNames: both.dnsNames, ipAddresses: ['10.3.0.11', '10.3.0.1'] }, false)
    await assert.rejects(enrolled(hub, grant, { extensions: [asked] }), refuses('csr-asks-too-much', /10\.3\.0\.1"/))
  })

  test('does not choose who it is for by its common name', async (t) => {
    const hub = await hubParts(t)
    await press(hub, { id: 'admin' })
    const grant = await press(hub)
    await assert.rejects(
      enrolled(hub, grant, { subject: buildName('admin') }),
      refuses('csr-asks-too-much', /"press-4"/),
    )
    await addProfile(hub, hub.actor, { ...deviceProfile, name: 'lenient', excess: 'ignore' })
    await editDevice(hub, hub.actor, grant.identity.id, { profiles: ['lenient'] }, null)
    const lenient = await grantToken(hub, hub.actor, grant.identity.id, daySec)
    const credential = await enrolled(hub, lenient, { subject: buildName('admin') })
    assert.equal(credential.identityId, 'press-4')
    assert.equal(new X509Certificate(credential.certificate).subject, 'CN=press-4')
  })

  test('does not reach another purpose than those of its profile', async (t) => {
    const hub = await hubParts(t)
    const grant = await press(hub, both)
    const asked = extendedKeyUsage(dualProfile.extendedKeyUsage)
    await assert.rejects(enrolled(hub, grant, { extensions: [asked] }), refuses('csr-asks-too-much', /serverAuth/))
  })
})

describe('a profile with patterns', () => {
  const patterned: Profile = {
    ...dualProfile,
    name: 'patterned',
    names: {
      ...dualProfile.names,
      dns: { patterns: ['{id}.{attr.site}.plant.example'], registry: false, requester: [] },
    },
  }

  test('makes names from attributes, and refuses by the name of the one that is missing', async (t) => {
    const hub = await hubParts(t)
    await addProfile(hub, hub.actor, patterned)
    const grant = await press(hub, { profiles: ['patterned'] })
    await assert.rejects(enrolled(hub, grant), refuses('attribute-missing', /"press-4" has no attribute "site"/))
    await editDevice(hub, hub.actor, grant.identity.id, { attributes: { site: 'hall-2' } }, null)
    const { certificate } = await enrolled(hub, grant)
    assert.deepEqual(readCertificate(certificate).dnsNames, ['press-4.hall-2.plant.example'])
  })

  test('lets no attribute bring a wildcard or another name (as GHSA-59w7-v8rr-pr4p let)', async (t) => {
    const hub = await hubParts(t)
    await addProfile(hub, hub.actor, patterned)
    const grant = await press(hub, { profiles: ['patterned'] })
    for (const site of ['*', 'hall.evil', 'hall@evil', 'hall 2']) {
      await editDevice(hub, hub.actor, grant.identity.id, { attributes: { site } }, null)
      await assert.rejects(enrolled(hub, grant), refuses('name-invalid', /\{attr\.site\} of "press-4"/), site)
    }
  })
})
