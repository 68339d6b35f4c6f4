/** Services, people and their certificates over the API. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NewApiKeyView } from '../../src/api-schema/access.ts'
import type { CertificateView, IssuedCertificateView } from '../../src/api-schema/certificates.ts'
import type { IdentityChangeView, IdentityDetailView, IdentityView } from '../../src/api-schema/identities.ts'
import { type CredentialView, type DeviceChangeView, type PageView, problemView } from '../../src/api-schema/views.ts'
import { readCertificate } from '../../src/core/x509/certificate.ts'
import { decodePem, encodePem } from '../../src/core/x509/pem.ts'
import { certificateRequestWith, newP256Key } from '../../src/device/private-key.ts'
import { type ApiParts, answered, apiParts, ask, enrolled } from './api-parts.ts'

const requestFor = (id: string): string => encodePem('CERTIFICATE REQUEST', certificateRequestWith(id, newP256Key()))

async function withBroker(t: { after(step: () => unknown): void }): Promise<ApiParts> {
  const api = await apiParts(t)
  const names = { dnsNames: ['broker.plant.example'], ipAddresses: ['10.3.0.11'] }
  await answered(ask(api, 'POST', '/services', { id: 'broker', group: 'line-1', ...names }), 201)
  return api
}

function issued(api: ApiParts, change: object = {}): Promise<IssuedCertificateView> {
  const order = { id: 'broker', profile: 'server', certificateRequest: requestFor('broker'), ...change }
  return answered<IssuedCertificateView>(ask(api, 'POST', '/credentials', order), 201)
}

async function refusedWith(api: ApiParts, method: 'GET' | 'POST' | 'PATCH', path: string, body?: object, headers = {}) {
  const { code } = problemView.parse(JSON.parse((await ask(api, method, path, body, headers)).body))
  return code
}

describe('services and people', () => {
  test('are registered with their names, found, and kept apart from devices and from each other', async (t) => {
    const api = await withBroker(t)
    await answered(ask(api, 'POST', '/users', { id: 'anna', emails: ['Anna@Plant.example'] }), 201)
    const { items } = await answered<PageView<IdentityView>>(ask(api, 'GET', '/services?group=line-1'))
    assert.deepEqual(
      items.map(({ id, kind, profiles }) => [id, kind, profiles]),
      [['broker', 'service', ['server']]],
    )
    const { identity } = await answered<IdentityDetailView>(ask(api, 'GET', '/users/anna'))
    assert.deepEqual(identity.emails, ['Anna@plant.example'])
    assert.equal(await refusedWith(api, 'GET', '/users/broker'), 'identity-not-found')
    assert.equal(await refusedWith(api, 'GET', '/services/anna'), 'identity-not-found')
    assert.equal(await refusedWith(api, 'GET', '/devices/broker'), 'identity-not-found')
    assert.equal(await refusedWith(api, 'POST', '/services', { id: 'anna' }), 'identity-exists')
  })

  test('are refused with names that are none, profiles that are none, and the name of the hub', async (t) => {
    const api = await apiParts(t)
    const register = (body: object) => refusedWith(api, 'POST', '/services', { id: 'x', ...body })
    assert.equal(await register({ dnsNames: ['*.plant.example'] }), 'name-invalid')
    assert.equal(await register({ ipAddresses: ['10.3.0'] }), 'name-invalid')
    assert.equal(await register({ profiles: ['none'] }), 'profile-not-found')
    assert.equal(await register({ profiles: ['user'] }), 'profile-not-granted')
    assert.equal(await register({ profiles: ['issuing'] }), 'profile-not-granted')
    assert.equal(await register({ id: 'hub' }), 'identity-of-hub')
    assert.equal(await register({ id: 'a b' }), 'identity-id-invalid')
    assert.equal(await register({ token: 1 }), 'request-invalid')
  })

  test('are edited from the version that was read: a list takes the place of the one before', async (t) => {
    const api = await withBroker(t)
    const edit = { dnsNames: ['new.plant.example'], profiles: ['server', 'device'] }
    assert.equal(await refusedWith(api, 'PATCH', '/services/broker', edit), 'precondition-required')
    assert.equal(
      await refusedWith(api, 'PATCH', '/services/broker', edit, { 'if-match': '"7"' }),
      'precondition-failed',
    )
    const view = await answered<IdentityView>(ask(api, 'PATCH', '/services/broker', edit, { 'if-match': '"1"' }))
    assert.deepEqual(view.dnsNames, ['new.plant.example'])
    assert.deepEqual(view.ipAddresses, ['10.3.0.11'])
    assert.deepEqual(view.profiles, ['server', 'device'])
    assert.equal(view.version, 2)
    const wrong = await refusedWith(api, 'PATCH', '/services/broker', { profiles: ['user'] }, { 'if-match': '*' })
    assert.equal(wrong, 'profile-not-granted')
    assert.equal(
      await refusedWith(api, 'PATCH', '/services/hub', { dnsNames: ['x.example'] }, { 'if-match': '*' }),
      'identity-of-hub',
    )
  })

  test('are disabled, enabled, revoked and retired as devices are', async (t) => {
    const api = await withBroker(t)
    const { credential } = await issued(api)
    const move = async (act: string) => {
      const { identity } = await answered<IdentityChangeView>(ask(api, 'POST', `/services/broker/${act}`))
      return identity.state
    }
    assert.equal(await move('disable'), 'disabled')
    assert.equal(await move('enable'), 'active')
    const revoked = await answered<IdentityChangeView>(ask(api, 'POST', '/services/broker/revoke', {}))
    assert.deepEqual(revoked.revoked, [credential.serialNumber])
    assert.equal(await move('retire'), 'retired')
    assert.equal(await refusedWith(api, 'POST', '/services/broker/enable'), 'transition-illegal')
    assert.equal(await refusedWith(api, 'POST', '/services/hub/disable'), 'identity-of-hub')
    assert.equal(await refusedWith(api, 'POST', '/users/broker/disable'), 'identity-not-found')
  })
})

describe('a certificate that is ordered', () => {
  test('comes with what is above it', async (t) => {
    const api = await withBroker(t)
    const { certificate, chain, root, compatibility, credential } = await issued(api)
    const [leaf, ...above] = decodePem(certificate + chain).map(({ der }) => readCertificate(der))
    assert.deepEqual(leaf?.dnsNames, ['broker.plant.example'])
    assert.equal(above.length, 1)
    assert.equal(decodePem(root).length, 1)
    assert.equal(compatibility, 'modern')
    assert.equal(credential.state, 'active')
  })

  test('is made once for one idempotency key, and the answer is the same', async (t) => {
    const api = await withBroker(t)
    const order = { id: 'broker', profile: 'server', certificateRequest: requestFor('broker') }
    const keyed = { 'idempotency-key': 'one' }
    const first = await ask(api, 'POST', '/credentials', order, keyed)
    const again = await ask(api, 'POST', '/credentials', order, keyed)
    assert.equal(first.body, again.body)
    assert.equal(again.headers['idempotency-replayed'], 'true')
    const other = { ...order, certificateRequest: requestFor('broker') }
    assert.equal(await refusedWith(api, 'POST', '/credentials', other, keyed), 'idempotency-key-reused')
  })

  test('is refused by name where the order, the request or the identity does not allow it', async (t) => {
    const api = await withBroker(t)
    const order = (change: object) =>
      refusedWith(api, 'POST', '/credentials', {
        ...{ id: 'broker', profile: 'server', certificateRequest: requestFor('broker') },
        ...change,
      })
    assert.equal(await order({ id: 'none' }), 'identity-not-found')
    assert.equal(await order({ profile: 'device' }), 'profile-not-granted')
    assert.equal(await order({ lifetimeSec: 400 * 86_400 }), 'order-asks-too-much')
    assert.equal(await order({ extendedKeyUsage: ['clientAuth'] }), 'order-asks-too-much')
    assert.equal(await order({ extendedKeyUsage: ['all'] }), 'request-invalid')
    assert.equal(await order({ certificateRequest: 'no request' }), 'csr-unreadable')
    assert.equal(await order({ certificateRequest: requestFor('other') }), 'csr-asks-too-much')
    assert.equal(await order({ certificateRequest: requestFor('broker').repeat(2) }), 'csr-unreadable')
    assert.equal(await order({ chain: 'none' }), 'not-found')
    assert.equal(await order({ dnsNames: ['bad name'] }), 'name-invalid')
    assert.equal(await order({ id: 'hub' }), 'identity-of-hub')
  })

  test('is ordered by a requester of its group alone, and another one learns nothing', async (t) => {
    const api = await withBroker(t)
    const withRole = async (name: string, group: string) => {
      const key = { name, role: 'requester', groups: [group], mayRegister: false }
      return { ...api, key: (await answered<NewApiKeyView>(ask(api, 'POST', '/keys', key), 201)).secret }
    }
    const own = await withRole('station-1', 'line-1')
    const foreign = await withRole('station-2', 'line-2')
    const { credential } = await issued(own)
    assert.equal(credential.deviceId, 'broker')
    const order = { id: 'broker', profile: 'server', certificateRequest: requestFor('broker') }
    const named = (name: string) => ({ ...order, dnsNames: [name], certificateRequest: requestFor('broker') })
    assert.equal(await refusedWith(own, 'POST', '/credentials', named('bank.example')), 'role-forbids')
    await answered(ask(own, 'POST', '/credentials', named('Broker.plant.example')), 201)
    assert.equal(await refusedWith(foreign, 'POST', '/credentials', order), 'identity-not-found')
    const seen = async (caller: typeof api) => {
      const { items } = await answered<PageView<CredentialView>>(ask(caller, 'GET', '/credentials?state=active'))
      return items.map(({ serialNumber }) => serialNumber)
    }
    assert.equal((await seen(own)).at(-1), credential.serialNumber)
    assert.equal((await seen(own)).length, 2)
    assert.deepEqual(await seen(foreign), [])
    assert.equal(await refusedWith(foreign, 'GET', `/credentials/${credential.serialNumber}`), 'credential-not-found')
    const byPrint = await answered<PageView<CredentialView>>(
      ask(foreign, 'GET', `/credentials?fingerprint=${credential.fingerprint}`),
    )
    assert.deepEqual(byPrint.items, [])
    assert.equal(await refusedWith(own, 'POST', '/services', { id: 'other' }), 'role-forbids')
  })
})

describe('certificates', () => {
  test('are listed by identity, profile, state, end and fingerprint, newest first', async (t) => {
    const api = await withBroker(t)
    const device = await enrolled(api, 'pump-7')
    const { credential } = await issued(api)
    const listed = async (query: string) => {
      const { items } = await answered<PageView<CredentialView>>(ask(api, 'GET', `/credentials?${query}`))
      return items.map(({ serialNumber }) => serialNumber)
    }
    assert.deepEqual(await listed(''), [credential.serialNumber, device])
    assert.deepEqual(await listed('identity=broker'), [credential.serialNumber])
    assert.deepEqual(await listed('profile=device'), [device])
    assert.deepEqual(await listed('state=pending'), [device])
    assert.deepEqual(await listed(`fingerprint=${credential.fingerprint}`), [credential.serialNumber])
    assert.deepEqual(await listed(`endsBefore=${credential.notAfter}`), [device])
    assert.deepEqual(await listed(`endsAfter=${credential.notAfter}`), [credential.serialNumber])
    const page = await answered<PageView<CredentialView>>(ask(api, 'GET', '/credentials?limit=1'))
    assert.deepEqual(await listed(`after=${page.next}`), [device])
    assert.equal(await refusedWith(api, 'GET', '/credentials?after=x'), 'cursor-invalid')
    assert.equal(await refusedWith(api, 'GET', '/credentials?endsBefore=tomorrow'), 'request-invalid')
  })

  test('are shown with all that they say', async (t) => {
    const api = await withBroker(t)
    const { credential, certificate } = await issued(api)
    const view = await answered<CertificateView>(ask(api, 'GET', `/credentials/${credential.serialNumber}`))
    assert.deepEqual(view.credential, credential)
    assert.equal(view.certificate, certificate)
    assert.equal(view.subject, 'CN=broker.plant.example')
    assert.deepEqual(view.extendedKeyUsage, ['serverAuth'])
    assert.equal(view.key, 'an ECDSA key on P-256')
    assert.equal(await refusedWith(api, 'GET', '/credentials/00ff'), 'credential-not-found')
    assert.equal(await refusedWith(api, 'GET', '/credentials/xyz'), 'request-invalid')
  })

  test('of services are revoked by serial number like those of devices', async (t) => {
    const api = await withBroker(t)
    const { credential } = await issued(api)
    const path = `/credentials/${credential.serialNumber}/revoke`
    const change = await answered<DeviceChangeView>(ask(api, 'POST', path, { reason: 'keyCompromise' }))
    assert.deepEqual(change.revoked, [credential.serialNumber])
    assert.equal(change.device.state, 'active')
  })
})
