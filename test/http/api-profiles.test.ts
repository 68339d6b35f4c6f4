/** Profiles over the API: written, changed, granted, removed. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { AddProfileRequest, ProfileListView, ProfileView } from '../../src/api-schema/profiles.ts'
import type { AuditEntryView, PageView } from '../../src/api-schema/views.ts'
import type { IdentityId } from '../../src/core/identity/id.ts'
import { grantedProfile, profileNamed } from '../../src/hub/profiles.ts'
import { type ApiParts, answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

const plc: AddProfileRequest = {
  name: 'plc',
  kinds: ['device'],
  names: { dns: { patterns: ['{id}.{attr.site}.plant.example'] } },
  keyUsage: ['digitalSignature', 'keyEncipherment'],
  extendedKeyUsage: ['clientAuth', 'serverAuth'],
  keyTypes: ['RSA-4096'],
}

const add = (api: ApiParts, change: object = {}) => ask(api, 'POST', '/profiles', { ...plc, ...change })
const change = (api: ApiParts, patch: object, version = 1) =>
  ask(api, 'PATCH', '/profiles/plc', patch, { 'if-match': `"${version}"` })

describe('a profile', () => {
  test('is added with what a device has for what is left out', async (t) => {
    const api = await apiParts(t)
    const { definition, builtIn, version } = await answered<ProfileView>(add(api), 201)
    assert.deepEqual([builtIn, version], [false, 1])
    assert.deepEqual(definition.extendedKeyUsage, ['clientAuth', 'serverAuth'])
    assert.deepEqual(definition.names.dns, {
      patterns: ['{id}.{attr.site}.plant.example'],
      registry: false,
      requester: [],
    })
    assert.deepEqual(definition.subject, [{ type: 'commonName', value: '{id}' }])
    assert.deepEqual(
      [definition.lifetimeSec, definition.lifetimeMaxSec, definition.mayConnect],
      [864_000, 864_000, true],
    )
  })

  test('that is shown can be added under another name and is the same', async (t) => {
    const api = await apiParts(t)
    const { items } = await answered<ProfileListView>(ask(api, 'GET', '/profiles'))
    assert.deepEqual(
      items.map(({ definition, builtIn }) => [definition.name, builtIn]),
      ['device', 'server', 'user', 'dual', 'gate', 'verifier'].map((name) => [name, true]),
    )
    for (const { definition } of items) {
      const copied = { ...definition, name: `my-${definition.name}` }
      assert.deepEqual((await answered<ProfileView>(ask(api, 'POST', '/profiles', copied), 201)).definition, copied)
    }
  })

  test('is changed from the version that was read, in what is named, and holds at once', async (t) => {
    const api = await apiParts(t)
    await answered(add(api), 201)
    const changed = await change(api, {
      lifetimeSec: 3_600,
      names: { dns: { registry: true } },
      status: { ocsp: false },
    })
    assert.equal(changed.headers.etag, '"2"')
    const { definition } = JSON.parse(changed.body) as ProfileView
    assert.deepEqual(definition.names.dns, { ...plc.names?.dns, registry: true, requester: [] })
    assert.deepEqual([definition.lifetimeSec, definition.status], [3_600, { crl: true, ocsp: false }])
    assert.equal((await profileNamed(api.hub.store, 'plc'))?.lifetimeSec, 3_600)
    assertProblem(await change(api, { lifetimeSec: 60 }), 412, 'precondition-failed')
    assertProblem(await ask(api, 'PATCH', '/profiles/plc', {}), 428, 'precondition-required')
  })

  test('that changes in nothing leaves its version and the audit log alone', async (t) => {
    const api = await apiParts(t)
    await answered(add(api), 201)
    const last = await api.hub.store.events.last()
    assert.equal((await answered<ProfileView>(change(api, { keyTypes: ['RSA-4096'] }))).version, 1)
    assert.equal(await api.hub.store.events.last(), last)
  })

  test('is an event and an act in the audit log, each time', async (t) => {
    const api = await apiParts(t)
    await answered(add(api), 201)
    await answered(change(api, { approval: true }))
    await answered(ask(api, 'POST', '/profiles/plc/remove', {}))
    const { items } = await answered<PageView<AuditEntryView>>(ask(api, 'GET', '/audit?limit=3'))
    assert.deepEqual(
      items.map(({ act, subject, actor }) => [act, subject, actor]),
      ['profile.remove', 'profile.change', 'profile.add'].map((act) => [act, 'plc', 'key:test']),
    )
    const events = await api.hub.store.events.after(0, 100)
    assert.equal(events.filter(({ type }) => type === 'profile-changed').length, 3)
    assertProblem(await ask(api, 'GET', '/profiles/plc'), 404, 'profile-not-found')
  })
})

describe('a profile is refused', () => {
  test('with every field that is not known or not well formed, by name', async (t) => {
    const api = await apiParts(t)
    const refused = await add(api, {
      isCa: true,
      pathLength: 0,
      lifetimeSec: 'long',
      names: { uri: {}, dns: { patterns: [7] } },
    })
    const { faults } = assertProblem(refused, 400, 'request-invalid')
    const pointers = (faults as { pointer: string }[]).map(({ pointer }) => pointer)
    assert.deepEqual(pointers.sort(), ['/isCa', '/lifetimeSec', '/names/dns/patterns/0', '/names/uri', '/pathLength'])
    assertProblem(await add(api, { extendedKeyUsage: ['webServer'] }), 400, 'request-invalid')
    assertProblem(await add(api, { backdateSec: 86_400 }), 400, 'request-invalid')
    assertProblem(await add(api, { subject: [{ type: 'emailAddress', value: 'a@b.example' }] }), 400, 'request-invalid')
  })

  test('where it would make an authority, or contradicts itself', async (t) => {
    const api = await apiParts(t)
    assertProblem(await add(api, { keyUsage: ['keyCertSign'] }), 400, 'profile-invalid')
    assertProblem(await add(api, { extendedKeyUsage: ['clientAuth', 'ocspSigning'] }), 400, 'profile-invalid')
    assertProblem(await add(api, { extendedKeyUsage: ['2.5.29.37.0'] }), 400, 'profile-invalid')
    assertProblem(await add(api, { keyTypes: ['P-256'] }), 400, 'profile-invalid')
  })

  test('under a name that is taken, built in, or another one than it has', async (t) => {
    const api = await apiParts(t)
    await answered(add(api), 201)
    assertProblem(await add(api), 409, 'profile-exists')
    for (const name of ['device', 'root', 'ocsp']) assertProblem(await add(api, { name }), 409, 'profile-built-in')
    assertProblem(await change(api, { name: 'plc-2' }), 400, 'profile-invalid')
    assertProblem(await change(api, { mayConnect: false }), 400, 'profile-invalid')
    const builtIn = await ask(api, 'PATCH', '/profiles/device', { lifetimeSec: 60 }, { 'if-match': '"1"' })
    assertProblem(builtIn, 409, 'profile-built-in')
    assertProblem(await ask(api, 'POST', '/profiles/device/remove', {}), 409, 'profile-built-in')
    for (const name of ['root', 'issuing'])
      assertProblem(await ask(api, 'GET', `/profiles/${name}`), 404, 'profile-not-found')
  })
})

test('every example of docs/profiles.md is a profile', async (t) => {
  const api = await apiParts(t)
  const page = readFileSync(join(import.meta.dirname, '../../docs/profiles.md'), 'utf8')
  const examples = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text))
  assert.ok(examples.length >= 3, `${examples.length} examples`)
  for (const example of examples) await answered(ask(api, 'POST', '/profiles', example), 201)
})

test('a profile that identities are granted is not removed', async (t) => {
  const api = await apiParts(t)
  await answered(add(api), 201)
  await answered(ask(api, 'POST', '/devices', { id: 'press-4' }), 201)
  const press = await api.hub.store.identities.find('press-4' as IdentityId)
  assert.ok(press !== null)
  const granted = { ...press, profiles: ['device', 'plc'] }
  await api.hub.store.write((tx) => tx.identities.update(granted))
  assertProblem(await ask(api, 'POST', '/profiles/plc/remove', {}), 409, 'profile-in-use')
  assert.equal((await grantedProfile(api.hub.store, granted, 'plc')).name, 'plc')
  await api.hub.store.write((tx) => tx.identities.update(press))
  await answered(ask(api, 'POST', '/profiles/plc/remove', {}))
})
