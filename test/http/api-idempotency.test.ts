/** Idempotency keys: what is asked twice is done once and answered the same, for a day, and by nobody else. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import type { AuditEntryView, BootstrapView, DeviceChangeView, PageView } from '../../src/api-schema/views.ts'
import { HubError } from '../../src/core/errors.ts'
import { limits } from '../../src/core/limits.ts'
import { apiServer } from '../../src/http/api/api-server.ts'
import { createApiKey } from '../../src/hub/api-keys.ts'
import { AnswerPlace } from '../../src/hub/kept-answers.ts'
import type { Transaction } from '../../src/hub/ports/store.ts'
import { keepAnswersFew, removeOldAnswers } from '../../src/hub/remove-old-answers.ts'
import { ShadowDifferences } from '../../src/hub/shadow-differences.ts'
import { type ApiParts, anchorCrlsOf, answered, apiParts, ask, deskOf } from './api-parts.ts'
import { type Answer, assertProblem } from './problem.ts'

const keyed = (key: string) => ({ 'idempotency-key': key })

async function actsOn(api: ApiParts, subject: string): Promise<readonly string[]> {
  const { items } = await answered<PageView<AuditEntryView>>(ask(api, 'GET', '/audit?limit=1000'))
  return items.filter((entry) => entry.subject === subject).map(({ act }) => act)
}

function same(first: Answer, second: Answer): void {
  assert.equal(second.statusCode, first.statusCode, second.body)
  assert.equal(second.body, first.body)
  assert.equal(second.headers.etag, first.headers.etag)
  assert.equal(first.headers['idempotency-replayed'], undefined)
  assert.equal(second.headers['idempotency-replayed'], 'true')
}

describe('a request with an idempotency key', () => {
  test('is done once and answered the same, secret and all, however its JSON is written', async (t) => {
    const api = await apiParts(t)
    const first = await ask(api, 'POST', '/devices', { id: 'pump-7', attributes: { a: '1', b: '2' } }, keyed('k1'))
    const again = await ask(
      api,
      'POST',
      '/devices',
      '{ "group": null, "attributes": {"b":"2","a":"1"}, "id": "pump-7", "tokenLifetimeSec": 86400 }',
      { ...keyed('k1'), 'content-type': 'application/json' },
    )
    same(first, again)
    assert.deepEqual(await actsOn(api, 'pump-7'), ['token.create', 'identity.register'])
  })

  test('acts once for each act that there is', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'pump-7' }), 201)
    const acts: readonly (readonly [path: string, body: object | undefined])[] = [
      ['/devices/pump-7/tokens', { tokenLifetimeSec: 60 }],
      ['/devices/pump-7/disable', undefined],
      ['/devices/pump-7/enable', {}],
      ['/devices/pump-7/revoke', { reason: 'superseded' }],
      ['/devices/pump-7/retire', {}],
    ]
    for (const [path, body] of acts) {
      same(await ask(api, 'POST', path, body, keyed(path)), await ask(api, 'POST', path, body, keyed(path)))
    }
    const edited = await apiParts(t)
    await answered(ask(edited, 'POST', '/devices', { id: 'pump-8' }), 201)
    const edit = () => ask(edited, 'PATCH', '/devices/pump-8', { group: 'x' }, { ...keyed('e'), 'if-match': '"1"' })
    same(await edit(), await edit())
    assert.equal((await actsOn(edited, 'pump-8')).filter((act) => act === 'identity.change').length, 1)
  })

  test('is done once although it comes many times at once', async (t) => {
    const api = await apiParts(t)
    const many = await Promise.all(
      Array.from({ length: 20 }, () => ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('at-once'))),
    )
    assert.equal(new Set(many.map(({ body }) => body)).size, 1)
    assert.equal(many.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length, 1)
    assert.deepEqual(await actsOn(api, 'pump-7'), ['token.create', 'identity.register'])
  })

  test('is refused when the key was used for anything else', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('k')), 201)
    for (const [path, body] of [
      ['/devices', { id: 'pump-8' }],
      ['/devices', { id: 'pump-7', group: 'x' }],
      ['/devices/pump-7/tokens', {}],
    ] as const) {
      assertProblem(await ask(api, 'POST', path, body, keyed('k')), 422, 'idempotency-key-reused')
    }
    assert.deepEqual(await actsOn(api, 'pump-8'), [])
  })

  test('leaves its key free when it was refused, because nothing was done', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'pump-7' }), 201)
    assertProblem(await ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('k')), 409, 'identity-exists')
    await answered(ask(api, 'POST', '/devices', { id: 'pump-8' }, keyed('k')), 201)
  })

  test('belongs to its caller: two may use one key', async (t) => {
    const api = await apiParts(t)
    const other = { ...api, key: (await createApiKey(api.hub, 'other')).reveal() }
    const mine = await ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('k'))
    assert.equal(mine.statusCode, 201)
    assertProblem(await ask(other, 'POST', '/devices', { id: 'pump-7' }, keyed('k')), 409, 'identity-exists')
    const theirs = await ask(other, 'POST', '/devices', { id: 'pump-8' }, keyed('k'))
    assert.equal(theirs.statusCode, 201)
    assert.equal((await ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('k'))).body, mine.body)
  })

  test('may have any visible characters as its key, up to a length, and no others', async (t) => {
    const api = await apiParts(t)
    for (const [index, key] of ['"quoted"', '~!#', 'x'.repeat(limits.idempotencyKeyCharsMax)].entries()) {
      await answered(ask(api, 'POST', '/devices', { id: `pump-${index}` }, keyed(key)), 201)
    }
    for (const key of ['', 'a b', 'é', 'x'.repeat(limits.idempotencyKeyCharsMax + 1)]) {
      assertProblem(await ask(api, 'POST', '/devices', { id: 'pump-9' }, keyed(key)), 400, 'request-invalid')
    }
  })
})

describe('a kept answer', () => {
  test('is there although the hub ended before it could be sent', async (t) => {
    const api = await apiParts(t)
    const { write } = api.hub.store
    // What is committed stays, and the one who asked never hears of it.
    const deaf = apiServer({
      anchorCrls: anchorCrlsOf(api.hub),
      differences: new ShadowDifferences(),
      desk: deskOf(api.hub),
      hub: {
        ...api.hub,
        store: {
          ...api.hub.store,
          async write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
            await write(work)
            throw new HubError('store-unavailable', 'the process was killed here')
          },
        },
      },
      log: api.hub.log,
      flushAttempts: async () => {},
      describeHub: api.describeHub,
    })
    t.after(() => deaf.close())
    const lost = await deaf.inject({
      method: 'POST',
      url: '/api/v1/devices',
      headers: { authorization: `Bearer ${api.key}`, ...keyed('k') },
      payload: { id: 'pump-7' },
    })
    assertProblem(lost, 503, 'store-unavailable')
    const again = await ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('k'))
    assert.equal(again.statusCode, 201)
    assert.equal(again.headers['idempotency-replayed'], 'true')
    assert.deepEqual(await actsOn(api, 'pump-7'), ['token.create', 'identity.register'])
  })

  test('is not given before the act is as safe as it was to be: the journal holds for it, too', async (t) => {
    const api = await apiParts(t)
    const { write } = api.hub.store
    let isBroken = true
    const journaling = apiServer({
      anchorCrls: anchorCrlsOf(api.hub),
      differences: new ShadowDifferences(),
      desk: deskOf(api.hub),
      hub: {
        ...api.hub,
        store: {
          ...api.hub.store,
          async write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
            const value = await write(work)
            if (isBroken) throw new HubError('journal-unavailable', 'the disk of the journal is full')
            return value
          },
        },
      },
      log: api.hub.log,
      flushAttempts: async () => {},
      describeHub: api.describeHub,
    })
    t.after(() => journaling.close())
    const register = () => ask({ app: journaling, key: api.key }, 'POST', '/devices', { id: 'pump-7' }, keyed('k'))
    assertProblem(await register(), 503, 'journal-unavailable')
    assertProblem(await register(), 503, 'journal-unavailable')
    isBroken = false
    assert.equal((await register()).headers['idempotency-replayed'], 'true')
    assert.deepEqual(await actsOn(api, 'pump-7'), ['token.create', 'identity.register'])
  })

  test('is given for a day; then the same request is a new one', async (t) => {
    const api = await apiParts(t)
    const token = () => ask(api, 'POST', '/devices/pump-7/tokens', {}, keyed('k'))
    await answered(ask(api, 'POST', '/devices', { id: 'pump-7' }), 201)
    const first = await answered<BootstrapView>(token(), 201)
    api.hub.clock.advance(limits.answersKeptSec * 1000 - 1)
    assert.deepEqual(await answered<BootstrapView>(token(), 201), first)
    api.hub.clock.advance(1)
    const next = await answered<BootstrapView>(token(), 201)
    assert.notEqual(next.enrolment.token, first.enrolment.token)
    assert.deepEqual(await answered<BootstrapView>(token(), 201), next)
  })

  test('is removed when it is old, and none before', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('old')), 201)
    api.hub.clock.advance(60_000)
    await answered(ask(api, 'POST', '/devices', { id: 'pump-8' }, keyed('new')), 201)
    assert.equal(await removeOldAnswers(api.hub), 0)
    api.hub.clock.advance(limits.answersKeptSec * 1000 - 60_000 + 1)
    const work = keepAnswersFew(api.hub, 'me')
    t.after(() => work.stop())
    assert.equal(await work.round(), true)
    assert.equal(await removeOldAnswers(api.hub), 0)
    assert.equal(
      (await ask(api, 'POST', '/devices', { id: 'pump-8' }, keyed('new'))).headers['idempotency-replayed'],
      'true',
    )
  })

  test('reveals nothing to whoever has the database alone', async (t) => {
    const api = await apiParts(t)
    const { enrolment } = await answered<BootstrapView>(ask(api, 'POST', '/devices', { id: 'pump-7' }, keyed('k')), 201)
    const change = await answered<DeviceChangeView>(
      ask(api, 'POST', '/devices/pump-7/disable', {}, keyed('second-key')),
    )
    assert.equal(change.device.state, 'disabled')
    const database = new DatabaseSync(api.hub.databasePath, { readOnly: true })
    t.after(() => database.close())
    const rows = database.prepare('select * from idempotency').all()
    assert.equal(rows.length, 2)
    const held = rows.map(({ key, answer }) => `${key} ${Buffer.from(answer as Uint8Array).toString('latin1')}`).join()
    const [, secret = ''] = enrolment.token.split('.')
    for (const text of [secret, 'pump-7', 'handfast://', 'second-key']) assert.ok(!held.includes(text), text)
  })

  test('opens for its own place alone: one that was moved in the database is not given', async (t) => {
    const { hub } = await apiParts(t)
    const caller = { id: `key:${'0'.repeat(16)}`, derivedKey: () => new Uint8Array(32) }
    const requestHash = new Uint8Array(32)
    const [here, there] = ['a', 'b'].map((key) => new AnswerPlace({ caller, key, requestHash }, ''))
    assert.ok(here !== undefined && there !== undefined)
    await hub.store.write((tx) => here.write(tx.idempotency, hub.random, hub.clock.nowMs(), { secret: 1 }))
    await hub.store.write((tx) => there.write(tx.idempotency, hub.random, hub.clock.nowMs(), { secret: 2 }))
    const database = new DatabaseSync(hub.databasePath)
    database.exec('update idempotency set answer = (select answer from idempotency order by key limit 1)')
    database.close()
    const read = (place: AnswerPlace) => place.read(hub.store.idempotency, hub.clock.nowMs())
    const outcomes = await Promise.allSettled([read(here), read(there)])
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  })
})
