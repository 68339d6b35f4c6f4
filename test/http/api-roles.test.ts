/** Ways out of one's groups, as somebody would try them who wants out. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { z } from 'zod'
import type { NewApiKeyView } from '../../src/api-schema/access.ts'
import type { ImportRowView } from '../../src/api-schema/bulk.ts'
import { operation } from '../../src/api-schema/operation.ts'
import type { AttemptView, BootstrapView, DeviceView, PageView } from '../../src/api-schema/views.ts'
import type { Role } from '../../src/core/authorisation/role.ts'
import { limits } from '../../src/core/limits.ts'
import { authenticateRequests } from '../../src/http/api/authenticate.ts'
import { serve } from '../../src/http/api/serve.ts'
import { httpApp } from '../../src/http/listen.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { fakeAttempt, fakeIdentity } from '../contract/store-fakes.ts'
import { type ApiParts, answered, apiParts, ask, type Method } from './api-parts.ts'
import { type Answer, assertProblem } from './problem.ts'

class Plant {
  readonly api: ApiParts

  private constructor(api: ApiParts) {
    this.api = api
  }

  static async start(t: TestContext): Promise<Plant> {
    const plant = new Plant(await apiParts(t))
    for (const [id, group] of [
      ['own', 'line-1'],
      ['own-too', 'line-2'],
      ['foreign', 'line-9'],
      ['none', null],
    ] as const) {
      await answered(ask(plant.api, 'POST', '/devices', { id, group, attributes: { site: 'x' } }), 201)
    }
    return plant
  }

  /** The key of somebody. */
  async key(role: Role, groups: readonly string[] = [], mayRegister = false): Promise<string> {
    const name = `${role}-${groups.join('-')}${mayRegister ? '-r' : ''}`.toLowerCase().replace('admin', 'chief')
    const view = await answered<NewApiKeyView>(ask(this.api, 'POST', '/keys', { name, role, groups, mayRegister }), 201)
    return view.secret
  }

  as(key: string, method: Method, path: string, body?: object | string, headers = {}): Promise<Answer> {
    return ask({ app: this.api.app, key }, method, path, body, headers)
  }

  async groupOf(id: string): Promise<string | null | undefined> {
    return (await this.api.hub.store.identities.find(id as never))?.group
  }
}

describe('an owner', () => {
  test('moves devices between its groups, and never out of them or into another', async (t) => {
    const plant = await Plant.start(t)
    const key = await plant.key('owner', ['line-1', 'line-2'])
    const edit = (id: string, group: string | null) =>
      plant.as(key, 'PATCH', `/devices/${id}`, { group }, { 'if-match': '*' })
    assert.equal((await edit('own', 'line-2')).statusCode, 200)
    for (const group of ['line-9', 'line-77', null]) assertProblem(await edit('own', group), 403, 'group-forbids')
    for (const id of ['foreign', 'none', 'nobody']) assertProblem(await edit(id, 'line-1'), 404, 'identity-not-found')
    assert.deepEqual(await Promise.all(['own', 'foreign', 'none'].map((id) => plant.groupOf(id))), [
      'line-2',
      'line-9',
      null,
    ])
  })

  test('sees by no filter and no cursor what is not in its groups', async (t) => {
    const plant = await Plant.start(t)
    const key = await plant.key('owner', ['line-1', 'line-2'])
    const list = async (query: string) => {
      const page = await answered<PageView<DeviceView>>(plant.as(key, 'GET', `/devices?${query}`))
      return page.items.map(({ id }) => id)
    }
    assert.deepEqual(await list('limit=1000'), ['own', 'own-too'])
    assert.deepEqual(await list('group=line-9'), [])
    assert.deepEqual(await list('group=line-2'), ['own-too'])
    assert.deepEqual(await list('idPrefix=f'), [])
    assert.deepEqual(await list('attr.site=x&state=active'), ['own', 'own-too'])
    const admins = await answered<PageView<DeviceView>>(ask(plant.api, 'GET', '/devices?limit=1'))
    assert.deepEqual(await list(`after=${admins.next}`), ['own', 'own-too'])
  })

  test('sees the attempts of what is its own now, and nobody else’s, strangers included', async (t) => {
    const plant = await Plant.start(t)
    const key = await plant.key('owner', ['line-1'])
    await plant.api.hub.store.write((tx) =>
      tx.attempts.insertAll(['own', 'foreign', 'none', null].map((identityId) => ({ ...fakeAttempt(1), identityId }))),
    )
    const seen = async (query: string) => {
      const page = await answered<PageView<AttemptView>>(plant.as(key, 'GET', `/attempts?limit=1000${query}`))
      return page.items.map(({ deviceId }) => deviceId)
    }
    assert.deepEqual(await seen(''), ['own'])
    assert.deepEqual(await seen('&device=foreign'), [])
    assert.deepEqual(await seen('&order=oldest&since=0'), ['own'])
    await answered(ask(plant.api, 'PATCH', '/devices/own', { group: 'line-9' }, { 'if-match': '*' }))
    assert.deepEqual(await seen(''), [])
  })

  test('has no people, whatever group somebody has put them into', async (t) => {
    const plant = await Plant.start(t)
    const key = await plant.key('owner', ['line-1'])
    await plant.api.hub.store.write((tx) =>
      tx.identities.insert(
        fakeIdentity('alice', { kind: 'user', state: 'active', group: 'line-1', profiles: ['user'] }),
      ),
    )
    assertProblem(await plant.as(key, 'GET', '/devices/alice'), 404, 'identity-not-found')
    const order = { id: 'alice', profile: 'user', certificateRequest: 'x' }
    const answer = await plant.as(key, 'POST', '/credentials', order)
    assert.ok(answer.statusCode >= 400 && answer.statusCode !== 500, answer.body)
  })

  test('loses the race with whoever moves the device away', async (t) => {
    const plant = await Plant.start(t)
    const key = await plant.key('owner', ['line-1'])
    const ids = Array.from({ length: 40 }, (_, n) => `race-${n}`)
    for (const id of ids) await answered(ask(plant.api, 'POST', '/devices', { id, group: 'line-1' }), 201)
    const move = (id: string) => ask(plant.api, 'PATCH', `/devices/${id}`, { group: 'line-9' }, { 'if-match': '*' })
    const disable = (id: string) => plant.as(key, 'POST', `/devices/${id}/disable`, {})
    const both = ids.flatMap((id, n) => (n % 2 === 0 ? [move(id), disable(id)] : [disable(id), move(id)]))
    const statuses = (await Promise.all(both)).map(({ statusCode }) => statusCode)
    assert.ok(statuses.includes(404) && statuses.includes(200), 'nobody has lost')
    const { items } = await plant.api.hub.store.audit.list({ after: null, limit: 1_000 })
    const movedAt = new Map(
      items.filter(({ act }) => act === 'identity.change').map((each) => [each.subject, each.number]),
    )
    for (const { actor, act, subject, number } of items) {
      if (act !== 'identity.state' || actor === 'key:test') continue
      assert.ok(number < (movedAt.get(subject) ?? 0), `${subject} was disabled after it had gone`)
    }
  })
})

describe('a requester', () => {
  test('registers by import only what it may register one by one', async (t) => {
    const plant = await Plant.start(t)
    const registrar = await plant.key('requester', ['line-1'], true)
    const station = await plant.key('requester', ['line-1'])
    const rows = [
      { id: 'new', group: 'line-1' },
      { id: 'to-other', group: 'line-9' },
      { id: 'to-none' },
      { id: 'foreign', group: 'line-1' },
      { id: 'none', group: 'line-1' },
      { id: 'own', group: 'line-1', attributes: { site: 'x' } },
      { id: 'squatted', group: 'line-1', state: 'retired' },
      { id: 'shut', group: 'line-1', state: 'disabled' },
    ]
    const body = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    const type = { 'content-type': 'application/x-ndjson' }
    assertProblem(await plant.as(station, 'POST', '/devices/import', body, type), 403, 'role-forbids')
    for (const path of ['/devices/import?dryRun=true', '/devices/import?tokens=true']) {
      const answer = await plant.as(registrar, 'POST', path, body, type)
      const lines = answer.body.trim().split('\n').slice(0, -1)
      const results = lines.map((line) => JSON.parse(line) as ImportRowView)
      assert.deepEqual(
        results.map(({ id, result, code }) => [id, code ?? result]),
        [
          ['new', 'created'],
          ['to-other', 'group-forbids'],
          ['to-none', 'group-forbids'],
          ['foreign', 'identity-exists'],
          ['none', 'identity-exists'],
          ['own', 'unchanged'],
          ['squatted', 'role-forbids'],
          ['shut', 'role-forbids'],
        ],
      )
      assert.ok(!answer.body.includes('line-9') || lines.filter((line) => line.includes('line-9')).length === 1)
    }
    assert.equal(await plant.groupOf('squatted'), undefined)
  })

  test('reads of an id that is taken elsewhere that it is taken, and not by what', async (t) => {
    const plant = await Plant.start(t)
    const key = await plant.key('requester', ['line-1'], true)
    await answered(ask(plant.api, 'POST', '/devices/none/retire', {}))
    await answered(ask(plant.api, 'POST', '/services', { id: 'broker', dnsNames: ['broker.plant.example'] }), 201)
    const told = await Promise.all(
      ['foreign', 'none', 'broker'].map(async (id) => {
        const { body } = await plant.as(key, 'POST', '/devices', { id, group: 'line-1' })
        const { instance: _instance, ...rest } = JSON.parse(body)
        return JSON.stringify(rest)
      }),
    )
    assert.equal(new Set(told).size, 1, told.join('\n'))
    assert.match(told[0] ?? '', /identity-exists/)
  })

  test('gets no answer that was kept for another, with whatever idempotency key', async (t) => {
    const plant = await Plant.start(t)
    const [mine, theirs] = [await plant.key('requester', ['line-1']), await plant.key('requester', ['line-9'])]
    const idempotent = { 'idempotency-key': 'the-same' }
    const path = '/devices/own/tokens'
    const view = await answered<BootstrapView>(plant.as(mine, 'POST', path, {}, idempotent), 201)
    assertProblem(await plant.as(theirs, 'POST', path, {}, idempotent), 404, 'identity-not-found')
    const again = await answered<BootstrapView>(plant.as(mine, 'POST', path, {}, idempotent), 201)
    assert.equal(again.bootstrap, view.bootstrap)
  })

  test('that loses its key in the midst of an import registers no more from the next batch on', async (t) => {
    const plant = await Plant.start(t)
    const { hub } = plant.api
    const key = await plant.key('requester', ['line-1'], true)
    const { write } = hub.store
    const app = plant.api.app
    let batches = 0
    // The key goes while the first batch is on its way.
    const cutting: Store['write'] = async (work) => {
      const value = await write(work)
      batches += 1
      if (batches === 1) await write((tx) => tx.apiKeys.remove(key.slice(0, 16)))
      return value
    }
    Object.assign(hub.store, { write: cutting })
    t.after(() => Object.assign(hub.store, { write }))
    const rows = Array.from({ length: limits.importBatchRows * 2 }, (_, n) => `cut-${n},line-1\n`).join('')
    const body = `id,group\n${rows}`
    const answer = await ask({ app, key }, 'POST', '/devices/import', body, { 'content-type': 'text/csv' })
    assert.match(answer.body.trim().split('\n').at(-1) ?? '', /"problem".*key-invalid/)
    assert.equal(await plant.groupOf('cut-0'), 'line-1')
    assert.equal(await plant.groupOf(`cut-${limits.importBatchRows}`), undefined)
  })
})

describe('a request', () => {
  test('is refused by the role before anything of it is looked at, and counted', async (t) => {
    const plant = await Plant.start(t)
    const key = await plant.key('requester', ['line-1'])
    const { observer } = plant.api.hub
    observer.lines.length = 0
    const nonsense = await plant.as(key, 'POST', '/devices/%20/revoke', { nonsense: true })
    assert.equal(nonsense.statusCode, 403)
    assertProblem(await plant.as(key, 'GET', '/devices/foreign'), 404, 'identity-not-found')
    assertProblem(await plant.as(key, 'POST', '/keys', { name: 'x', role: 'admin' }), 403, 'role-forbids')
    const head = await plant.api.app.inject({
      method: 'HEAD',
      url: '/api/v1/audit',
      headers: { authorization: `Bearer ${key}` },
    })
    assert.equal(head.statusCode, 403)
    assert.deepEqual(
      observer.lines.filter((line) => line.startsWith('actRefused')),
      [
        'actRefused device.revoke role',
        'actRefused device.read foreign',
        'actRefused key.add role',
        'actRefused audit.read role',
      ],
    )
  })

  test('whose handler forgets to ask about its target is undone', async (t) => {
    const plant = await Plant.start(t)
    const { hub } = plant.api
    const key = await plant.key('owner', ['line-1'])
    const app = httpApp({ reader: 'operator', log: hub.log, bodyBytesMax: 1_000 })
    t.after(() => app.close())
    const callers = authenticateRequests(app, hub, undefined, undefined)
    const forgetful = operation({
      id: 'forgetful',
      act: 'device.register',
      method: 'POST',
      path: '/api/v1/forgetful',
      tag: 'devices',
      summary: '',
      description: '',
      answer: { kind: 'json', status: 200, description: '', schema: z.object({}), example: {} },
    })
    serve({ app, hub, callers }, forgetful, async ({ hub: { store } }) => {
      await store.write((tx) => tx.identities.insert(fakeIdentity('sneaked', { group: 'line-9' })))
      return { body: {} }
    })
    app.get('/api/v1/nameless', async () => 'secret')
    const authorization = `Bearer ${key}`
    const answer = await app.inject({ method: 'POST', url: '/api/v1/forgetful', headers: { authorization } })
    assert.equal(answer.statusCode, 500)
    assert.equal(await plant.groupOf('sneaked'), undefined)
    for (const each of [authorization, `Bearer ${plant.api.key}`]) {
      const nameless = await app.inject({ url: '/api/v1/nameless', headers: { authorization: each } })
      assert.equal(nameless.statusCode, 500)
      assert.ok(!nameless.body.includes('secret'))
    }
  })
})
