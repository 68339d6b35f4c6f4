/** What waits for adoption, over the admin API. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AdoptedView, AdoptionView, PageView } from '../../src/api-schema/views.ts'
import type { Credential } from '../../src/core/identity/credential.ts'
import { fakeCredential, fakeIdentity } from '../contract/store-fakes.ts'
import { answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

type Api = Awaited<ReturnType<typeof apiParts>>

/** What the journal says that it was granted. */
const names = { dnsNames: ['pump.plant.example'], ipAddresses: [], emails: [] }
const grants = { profiles: ['dual'], ...names, keyStorage: null }

/** A device as a restore leaves it: registered since, with a certificate that was used. */
async function waiting({ hub }: Api, id: string, n: number): Promise<Credential> {
  const now = fakeIdentity(id, { state: 'pending' })
  const then = {
    ...now,
    state: 'active' as const,
    group: 'line-2',
    attributes: { site: 'Köln' },
    profiles: ['dual'],
    names,
  }
  const credential = fakeCredential(n, { identityId: now.id, state: 'unadopted', activatedAtMs: 5_000 })
  await hub.store.write(async (tx) => {
    await tx.identities.insert(now)
    await tx.credentials.insert(credential)
    await tx.adoptions.saveAll([{ identity: then, versionThen: now.version }])
  })
  return credential
}

test('a list shows each device as it is and as it would be, page by page or one alone', async (t) => {
  const api = await apiParts(t)
  const credential = await waiting(api, 'pump-1', 1)
  await waiting(api, 'pump-2', 2)
  const first = await answered<PageView<AdoptionView>>(ask(api, 'GET', '/adoptions?limit=1'))
  assert.deepEqual(
    first.items.map(({ device, becomes, credentials }) => [device.id, device.state, becomes, credentials.length]),
    [['pump-1', 'pending', { state: 'active', group: 'line-2', attributes: { site: 'Köln' }, ...grants }, 1]],
  )
  assert.equal(first.items[0]?.credentials[0]?.serialNumber, credential.serialNumber)
  const second = await answered<PageView<AdoptionView>>(ask(api, 'GET', `/adoptions?after=${first.next}`))
  assert.deepEqual([second.items.map(({ device }) => device.id), second.next], [['pump-2'], null])
  const one = await answered<PageView<AdoptionView>>(ask(api, 'GET', '/adoptions?device=pump-2'))
  assert.deepEqual(one.items, second.items)
  assert.deepEqual((await answered<PageView<AdoptionView>>(ask(api, 'GET', '/adoptions?device=pump-3'))).items, [])
})

test('an adoption opens the door, is told once, and is in the audit log', async (t) => {
  const api = await apiParts(t)
  const credential = await waiting(api, 'pump-1', 1)
  const { device, credentials } = await answered<AdoptedView>(ask(api, 'POST', '/devices/pump-1/adopt', {}))
  assert.deepEqual([device.state, device.group, device.version], ['active', 'line-2', 2])
  assert.deepEqual([device.profiles, device.dnsNames], [grants.profiles, grants.dnsNames])
  assert.deepEqual(
    credentials.map(({ serialNumber, state }) => [serialNumber, state]),
    [[credential.serialNumber, 'active']],
  )
  assertProblem(await ask(api, 'POST', '/devices/pump-1/adopt', {}), 404, 'nothing-to-adopt')
  assert.deepEqual((await answered<PageView<AdoptionView>>(ask(api, 'GET', '/adoptions'))).items, [])
  const entries = await api.hub.store.audit.after(0, 1_000)
  assert.deepEqual(
    [entries.at(-1)?.act, entries.at(-1)?.actor, entries.at(-1)?.subject],
    ['device.adopt', 'key:test', 'pump-1'],
  )
  const events = await api.hub.store.events.after(0, 1_000)
  assert.deepEqual(
    events.map(({ type }) => type),
    ['identity-state-changed', 'identity-changed', 'credential-adopted'],
  )
})

test('what was revoked meanwhile waits no more', async (t) => {
  const api = await apiParts(t)
  await waiting(api, 'pump-1', 1)
  await answered(ask(api, 'POST', '/devices/pump-1/retire', {}))
  const { items } = await answered<PageView<AdoptionView>>(ask(api, 'GET', '/adoptions'))
  assert.deepEqual(items, [])
})

test('ids and cursors that are none are refused', async (t) => {
  const api = await apiParts(t)
  assertProblem(await ask(api, 'GET', '/adoptions?device=a%20b'), 400, 'identity-id-invalid')
  assertProblem(await ask(api, 'GET', '/adoptions?after=xyz'), 400, 'cursor-invalid')
  assertProblem(await ask(api, 'POST', '/devices/a%20b/adopt', {}), 400, 'identity-id-invalid')
  assertProblem(await ask(api, 'POST', '/devices/none/adopt', {}), 404, 'nothing-to-adopt')
})
