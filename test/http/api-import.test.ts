/** Bulk import: each row by itself, in order, once; and what becomes of an import that is cut off. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import type { AuditEntryView, PageView } from '../../src/api-schema/views.ts'
import { firstBreak } from '../../src/core/audit/chain.ts'
import { HubError } from '../../src/core/errors.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { apiServer } from '../../src/http/api/api-server.ts'
import { listenOn } from '../../src/http/listen.ts'
import { enrol } from '../../src/hub/enrol.ts'
import type { Transaction } from '../../src/hub/ports/store.ts'
import { ShadowDifferences } from '../../src/hub/shadow-differences.ts'
import { deviceRequest } from '../support/hub-parts.ts'
import { anchorCrlsOf, answered, apiParts, ask, deskOf } from './api-parts.ts'
import { csv, fleet, importing, keyed, short } from './importing.ts'
import { assertProblem } from './problem.ts'

describe('an import', () => {
  test('makes a token for each active device that it creates, and its string enrols that device', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'pump-6' }), 201)
    const { rows } = await importing(
      api,
      'id,state\npump-6,\npump-7,\npump-8,disabled\n',
      csv,
      '?tokens=true&tokenLifetimeSec=60',
    )
    assert.deepEqual(
      rows.map(({ bootstrap }) => bootstrap !== undefined),
      [false, true, false],
    )
    const { id, token } = parseBootstrap(new Secret(rows[1]?.bootstrap ?? ''))
    assert.equal(id, 'pump-7')
    const { certificateRequest } = deviceRequest('pump-7')
    api.hub.clock.advance(59_000)
    await enrol(api.hub, { tokenText: token, claimedId: 'pump-7', certificateRequest })
  })

  test('that is dry changes nothing and says what would happen', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'there', group: 'x' }), 201)
    const [events, head] = [await api.hub.store.events.last(), await api.hub.store.audit.head()]
    const text = 'id,group\nnew,x\nthere,x\nthere-2,#\nnew,x\n'
    const result = await importing(api, text, keyed('dry'), '?dryRun=true&tokens=true')
    assert.deepEqual(short(result), [
      'new created',
      'there unchanged',
      'there-2 invalid request-invalid',
      'new conflict import-row-repeated',
    ])
    assert.equal(result.summary?.dryRun, true)
    assert.equal(result.rows[0]?.bootstrap, undefined)
    assertProblem(await ask(api, 'GET', '/devices/new'), 404, 'identity-not-found')
    assert.deepEqual([await api.hub.store.events.last(), await api.hub.store.audit.head()], [events, head])
    assert.deepEqual(short(await importing(api, text, keyed('dry'))).slice(0, 2), ['new created', 'there unchanged'])
  })

  test('is audited and told as if each device had been registered by itself, and the chain holds', async (t) => {
    const api = await apiParts(t)
    const [events, head] = [await api.hub.store.events.last(), await api.hub.store.audit.head()]
    const count = limits.importBatchRows * 2 + 1
    await importing(api, fleet(count), csv, '?tokens=true')
    const told = await api.hub.store.events.after(events, 1_000)
    assert.equal(told.length, count)
    assert.ok(told.every(({ type }) => type === 'identity-registered'))
    const entries = await api.hub.store.audit.after(head.number, 1_000)
    assert.equal(entries.length, 2 * count)
    assert.equal(firstBreak(head, entries), null)
    const one = entries.filter(({ subject }) => subject === 'dev-1')
    await answered(ask(api, 'POST', '/devices', { id: 'alone', group: 'line-1', attributes: { site: 'hall-1' } }), 201)
    const { items } = await answered<PageView<AuditEntryView>>(ask(api, 'GET', '/audit?limit=2'))
    assert.deepEqual(
      one.map(({ actor, act }) => [actor, act]),
      items.reverse().map(({ actor, act }) => [actor, act]),
    )
    assert.deepEqual(one[0]?.after, items[0]?.after)
  })

  test('without a key, done again, finds its devices unchanged', async (t) => {
    const api = await apiParts(t)
    await importing(api, fleet(3))
    await answered(ask(api, 'POST', '/devices/dev-1/disable'))
    const { summary } = await importing(api, fleet(4))
    assert.deepEqual(summary, { rows: 4, created: 1, unchanged: 3, conflict: 0, invalid: 0, dryRun: false })
  })

  test('of more than may be, in rows, lines or bytes, is refused before anything is done', async (t) => {
    const api = await apiParts(t)
    const many = `id\n${Array.from({ length: limits.importRowsMax + 1 }, (_, n) => n).join('\n')}`
    assertProblem(await ask(api, 'POST', '/devices/import', many, csv), 413, 'import-too-long')
    const blank = '\n'.repeat(2 * limits.importRowsMax + 2)
    assertProblem(await ask(api, 'POST', '/devices/import', blank, csv), 413, 'import-too-long')
    const head = `POST /api/v1/devices/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.key}\r\nContent-Type: text/csv\r\n`
    const { port } = await listenOn(api.app, 'API', '127.0.0.1', 0)
    const answer = await exchange(port, `${head}Content-Length: ${limits.importBodyBytesMax + 1}\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*"request-too-large"/)
    assert.equal((await api.hub.store.identities.list({ kind: 'device', after: null, limit: 1 })).items.length, 0)
  })

  test('shows its key before its body is read', async (t) => {
    const api = await apiParts(t)
    const { port } = await listenOn(api.app, 'API', '127.0.0.1', 0)
    const head =
      'POST /api/v1/devices/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n'
    assert.match(await exchange(port, head), /^HTTP\/1\.1 401 /)
  })

  test('waits for no other: a few at one time, and others hear that', async (t) => {
    const api = await apiParts(t)
    const many = await Promise.all(
      Array.from({ length: limits.importsAtOnceMax + 1 }, (_, n) =>
        ask(api, 'POST', '/devices/import', `id\nat-once-${n}\n`, csv),
      ),
    )
    const statuses = many.map(({ statusCode }) => statusCode).sort()
    assert.deepEqual(statuses, [...Array.from({ length: limits.importsAtOnceMax }, () => 200), 429])
    const refused = many.find(({ statusCode }) => statusCode === 429)
    assert.ok(refused !== undefined)
    assertProblem(refused, 429, 'imports-too-many')
    assert.equal((await importing(api, 'id\nlater\n')).summary?.created, 1)
  })
})

describe('an import with an idempotency key', () => {
  const withTokens = '?tokens=true'

  test('that is sent again is answered the same, strings and all, and does nothing twice', async (t) => {
    const api = await apiParts(t)
    const text = `${fleet(limits.importBatchRows + 3)}a/b,x,\n`
    const first = await importing(api, text, keyed('k'), withTokens)
    const events = await api.hub.store.events.last()
    await answered(ask(api, 'POST', '/devices/dev-1/retire'))
    assert.deepEqual(await importing(api, text, keyed('k'), withTokens), first)
    assert.equal(
      (await api.hub.store.events.after(events, 1_000)).filter(({ type }) => type === 'identity-registered').length,
      0,
    )
    assert.ok(first.rows[0]?.bootstrap)
  })

  test('is refused with its key for another body, or other options', async (t) => {
    const api = await apiParts(t)
    await importing(api, fleet(3), keyed('k'), withTokens)
    for (const [body, query, headers] of [
      [fleet(4), withTokens, keyed('k')],
      [fleet(3), '', keyed('k')],
      [fleet(3), `${withTokens}&tokenLifetimeSec=60`, keyed('k')],
    ] as const) {
      assertProblem(await ask(api, 'POST', `/devices/import${query}`, body, headers), 422, 'idempotency-key-reused')
    }
  })

  test('takes its key before its first row, whatever else is asked with it', async (t) => {
    const api = await apiParts(t)
    const both = await Promise.all(
      ['id\na1\n', 'id\nb1\n'].map((body) => ask(api, 'POST', '/devices/import', body, keyed('k'))),
    )
    assert.deepEqual(both.map(({ statusCode }) => statusCode).toSorted(), [200, 422])
    const act = (id: string, key: string) => ask(api, 'POST', '/devices', { id }, { 'idempotency-key': key })
    assertProblem(await act('c1', 'k'), 422, 'idempotency-key-reused')
    assert.equal((await act('d1', 'act')).statusCode, 201)
    assertProblem(await ask(api, 'POST', '/devices/import', 'id\nd1\n', keyed('act')), 422, 'idempotency-key-reused')
  })

  test('goes on where a killed hub had stopped, with the strings of the first time', async (t) => {
    const api = await apiParts(t)
    const text = fleet(limits.importBatchRows * 3)
    const { write } = api.hub.store
    let writes = 0
    // The first write takes the key. The second batch is committed, and nobody hears of it.
    const dying = apiServer({
      anchorCrls: anchorCrlsOf(api.hub),
      differences: new ShadowDifferences(),
      desk: deskOf(api.hub),
      hub: {
        ...api.hub,
        store: {
          ...api.hub.store,
          async write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
            const value = await write(work)
            writes += 1
            if (writes === 3) throw new HubError('store-unavailable', 'the process was killed here')
            return value
          },
        },
      },
      log: api.hub.log,
      flushAttempts: async () => {},
      describeHub: api.describeHub,
    })
    t.after(() => dying.close())
    const cut = await importing({ app: dying, key: api.key }, text, keyed('k'), withTokens)
    assert.equal(cut.problem?.code, 'store-unavailable')
    assert.equal(cut.rows.length, limits.importBatchRows)
    const whole = await importing(api, text, keyed('k'), withTokens)
    assert.deepEqual(whole.rows.slice(0, limits.importBatchRows), cut.rows)
    assert.deepEqual(whole.summary, {
      ...{ rows: limits.importBatchRows * 3, created: limits.importBatchRows * 3 },
      ...{ unchanged: 0, conflict: 0, invalid: 0, dryRun: false },
    })
    // Of the batch that nobody had heard of, too, the strings are those that the registry holds.
    for (const index of [0, limits.importBatchRows, limits.importBatchRows * 2]) {
      const { id, token } = parseBootstrap(new Secret(whole.rows[index]?.bootstrap ?? ''))
      const open = await api.hub.store.tokens.openOf(parseIdentityId(id))
      assert.deepEqual(
        open.map((each) => each.id),
        [token.reveal().split('.')[0]],
      )
    }
    assert.deepEqual(await importing(api, text, keyed('k'), withTokens), whole)
  })

  test('is done once although it comes twice at once', async (t) => {
    const api = await apiParts(t)
    const text = fleet(limits.importBatchRows * 2)
    const both = await Promise.all([0, 1].map(() => importing(api, text, keyed('k'), withTokens)))
    assert.deepEqual(both[1], both[0])
    assert.equal(both[0]?.summary?.created, limits.importBatchRows * 2)
  })
})

function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\r\n\r\n')) socket.end()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}
