import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NewApiKeyView } from '../../src/api-schema/access.ts'
import type { CaseView, IncidentView } from '../../src/api-schema/cases.ts'
import type { HubStatusView } from '../../src/api-schema/renewals.ts'
import type { AttemptView, PageView } from '../../src/api-schema/views.ts'
import { noteIncidents } from '../../src/hub/note-incidents.ts'
import { fakeAttempt, fakeIdentity, fakeRefusals } from '../contract/store-fakes.ts'
import { noonMs } from '../support/hub-parts.ts'
import { type ApiParts, answered, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

const iso = (ms: number) => new Date(ms).toISOString()

async function ownerKey(api: ApiParts): Promise<string> {
  const key = { name: 'owner', role: 'owner', groups: ['line-1'], mayRegister: false }
  return (await answered<NewApiKeyView>(ask(api, 'POST', '/keys', key), 201)).secret
}

async function cases(api: Pick<ApiParts, 'app' | 'key'>, query = ''): Promise<readonly string[]> {
  const { items } = await answered<PageView<CaseView>>(ask(api, 'GET', `/attempts/cases?${query}`))
  return items.map(({ name, count }) => `${name} ${count}`)
}

test('attempts are narrowed to a while', async (t) => {
  const api = await apiParts(t)
  await api.hub.store.write((tx) =>
    tx.attempts.insertAll([1, 2, 3].map((n) => ({ ...fakeAttempt(1), atMs: noonMs + n, sentence: `${n}` }))),
  )
  const since = async (from: string) =>
    (await answered<PageView<AttemptView>>(ask(api, 'GET', `/attempts?from=${from}`))).items.map(
      (each) => each.sentence,
    )
  assert.deepEqual(await since(iso(noonMs + 2)), ['3', '2'])
  assert.deepEqual(await since(iso(noonMs + 4)), [])
  assertProblem(await ask(api, 'GET', '/attempts?from=yesterday'), 400, 'request-invalid')
})

describe('cases', () => {
  test('say who, how often, first and last, with the cure; those that wait are written before', async (t) => {
    const api = await apiParts(t)
    const { store } = api.hub
    await store.write((tx) =>
      tx.cases.addAll([fakeRefusals('pump-7', { count: 3, firstAtMs: noonMs, lastAtMs: noonMs + 9 })]),
    )
    await store.write((tx) => tx.cases.admitted('mqtts', [{ kind: 'identity', name: 'pump-7' }], noonMs + 10))
    const { items } = await answered<PageView<CaseView>>(ask(api, 'GET', '/attempts/cases'))
    const [only, ...others] = items
    assert.deepEqual(others, [])
    assert.deepEqual(
      [only?.party, only?.name, only?.deviceId, only?.count, only?.failureId, only?.issuer],
      ['identity', 'pump-7', 'pump-7', 3, 'HF-2106', 'CN=issuing'],
    )
    assert.deepEqual(
      [only?.firstAt, only?.lastAt, only?.admittedAt],
      [0, 9, 10].map((ms) => iso(noonMs + ms)),
    )
    assert.match(only?.cure ?? '', /enrol the device again/)
    assert.equal(api.flushes(), 1)
  })

  test('are filtered by device, failure, listener, time and whether they stand', async (t) => {
    const api = await apiParts(t)
    const { store } = api.hub
    await store.write(async (tx) => {
      await tx.cases.addAll([
        fakeRefusals('a', { lastAtMs: noonMs }),
        fakeRefusals('b', { lastAtMs: noonMs + 1, code: 'identity-disabled' }),
        fakeRefusals('c', { lastAtMs: noonMs + 2, listener: 'plant@gate-1' }),
      ])
      await tx.cases.admitted('mqtts', [{ kind: 'identity', name: 'a' }], noonMs + 1)
    })
    assert.deepEqual(await cases(api), ['c 1', 'b 1', 'a 1'])
    assert.deepEqual(await cases(api, 'device=b'), ['b 1'])
    assert.deepEqual(await cases(api, 'code=identity-disabled'), ['b 1'])
    assert.deepEqual(await cases(api, 'listener=plant%40gate-1'), ['c 1'])
    assert.deepEqual(await cases(api, `from=${iso(noonMs + 1)}`), ['c 1', 'b 1'])
    assert.deepEqual(await cases(api, 'standing=true'), ['c 1', 'b 1'])
    assertProblem(await ask(api, 'GET', '/attempts/cases?code=bad-luck'), 400, 'request-invalid')
    assertProblem(await ask(api, 'GET', '/attempts/cases?standing=perhaps'), 400, 'request-invalid')
    assertProblem(await ask(api, 'GET', '/attempts/cases?after=yesterday'), 400, 'cursor-invalid')
  })

  test('of others and of strangers are hidden from an owner', async (t) => {
    const api = await apiParts(t)
    await api.hub.store.write(async (tx) => {
      await tx.identities.insertAll([
        fakeIdentity('own', { group: 'line-1' }),
        fakeIdentity('foreign', { group: 'line-9' }),
      ])
      await tx.cases.addAll([
        fakeRefusals('own', { lastAtMs: noonMs }),
        fakeRefusals('foreign', { lastAtMs: noonMs }),
        {
          ...fakeRefusals('x', { lastAtMs: noonMs }),
          party: { kind: 'network', name: '192.0.2.1' },
          last: { ...fakeAttempt(1), atMs: noonMs, identityId: null },
        },
      ])
    })
    const key = await ownerKey(api)
    assert.deepEqual(await cases({ ...api, key }), ['own 1'])
    assert.deepEqual(await cases({ ...api, key }, 'device=foreign'), [])
  })
})

describe('incidents', () => {
  test('are listed with whose they probably are, and stand in what the hub says of itself', async (t) => {
    const api = await apiParts(t)
    const { hub } = api
    await hub.store.write((tx) =>
      tx.cases.addAll([1, 2, 3, 4, 5].map((n) => fakeRefusals(`pump-${n}`, { lastAtMs: noonMs }))),
    )
    await noteIncidents(hub)
    const list = async (query = '') =>
      (await answered<PageView<IncidentView>>(ask(api, 'GET', `/incidents?${query}`))).items
    const [incident] = await list()
    assert.ok(incident !== undefined)
    assert.deepEqual(
      [incident.identities, incident.owner, incident.code, incident.endedAt, incident.beganAt],
      [5, 'operator', 'certificate-expired', null, iso(noonMs)],
    )
    assert.deepEqual((await answered<HubStatusView>(ask(api, 'GET', '/hub'))).incidents, [incident])
    hub.clock.advance(3_600_000)
    await noteIncidents(hub)
    assert.deepEqual((await answered<HubStatusView>(ask(api, 'GET', '/hub'))).incidents, [])
    assert.deepEqual((await list(`endedFrom=${iso(noonMs + 3_600_000)}`)).length, 1)
    assert.deepEqual(await list(`endedFrom=${iso(noonMs + 3_600_001)}`), [])
    assertProblem(await ask(api, 'GET', '/incidents?after=yesterday'), 400, 'cursor-invalid')
  })

  test('are about all groups, so that an owner is told of none', async (t) => {
    const api = await apiParts(t)
    const key = await ownerKey(api)
    assertProblem(await ask({ ...api, key }, 'GET', '/incidents'), 403, 'role-forbids')
    assert.equal((await answered<HubStatusView>(ask({ ...api, key }, 'GET', '/hub'))).incidents, null)
  })
})
