/** Bulk import: each row by itself, in order, once; and what becomes of an import that is cut off. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import {
  type ImportRowView,
  type ImportSummaryView,
  importProblemView,
  importRowView,
  importSummaryView,
} from '../../src/api-schema/bulk.ts'
import type { AuditEntryView, DeviceDetailView, PageView, ProblemView } from '../../src/api-schema/views.ts'
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
import { fakeIdentity } from '../contract/store-fakes.ts'
import { deviceRequest } from '../support/hub-parts.ts'
import { type ApiParts, anchorCrlsOf, answered, apiParts, ask, deskOf } from './api-parts.ts'
import { type Answer, assertProblem } from './problem.ts'

const csv = { 'content-type': 'text/csv' }
const ndjson = { 'content-type': 'application/x-ndjson; charset=utf-8' }
const keyed = (key: string) => ({ ...csv, 'idempotency-key': key })

interface Imported {
  readonly rows: readonly ImportRowView[]
  readonly summary: ImportSummaryView['summary'] | null
  readonly problem: ProblemView | null
}

/** The lines of an answer, each strictly what the document says. */
function imported({ statusCode, headers, body }: Answer): Imported {
  assert.equal(statusCode, 200, body)
  assert.match(String(headers['content-type']), /^application\/x-ndjson/)
  const lines = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const last = lines.at(-1)
  const rows = lines.filter((line) => 'row' in line).map((line) => importRowView.strict().parse(line))
  assert.equal(rows.length, lines.length - 1, 'all lines but the last are rows')
  assert.deepEqual(
    rows.map(({ row }) => row),
    rows.map((_, index) => index + 1),
  )
  if ('problem' in last) return { rows, summary: null, problem: importProblemView.strict().parse(last).problem }
  return { rows, summary: importSummaryView.strict().parse(last).summary, problem: null }
}

async function importing(
  api: Pick<ApiParts, 'app' | 'key'>,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = csv,
  query = '',
): Promise<Imported> {
  return imported(await ask(api, 'POST', `/devices/import${query}`, body, headers))
}

/** `id result code`, as much of each row as most tests look at. */
const short = ({ rows }: Imported) => rows.map(({ id, result, code }) => [id, result, code].filter(Boolean).join(' '))

const shown = async (api: ApiParts, id: string) =>
  (await answered<DeviceDetailView>(ask(api, 'GET', `/devices/${id}`))).device

function fleet(count: number): string {
  const lines = Array.from({ length: count }, (_, n) => `dev-${n},line-${n % 3},hall-${n % 2}`)
  return `id,group,attr.site\n${lines.join('\n')}\n`
}

describe('an import of CSV', () => {
  test('registers a device for each row, with group, attributes and state', async (t) => {
    const api = await apiParts(t)
    const text =
      'id,group,attr.site,state,attr.line,keyStorage\npump-7,line-2,"hall 2, north",,,tpm\n"pump-8",,,disabled,4,\npump-9,x,,retired,,\n'
    const { rows, summary } = await importing(api, text)
    assert.deepEqual(rows, [
      { row: 1, id: 'pump-7', result: 'created' },
      { row: 2, id: 'pump-8', result: 'created' },
      { row: 3, id: 'pump-9', result: 'created' },
    ])
    assert.deepEqual(summary, { rows: 3, created: 3, unchanged: 0, conflict: 0, invalid: 0, dryRun: false })
    const [first, second, third] = await Promise.all(['pump-7', 'pump-8', 'pump-9'].map((id) => shown(api, id)))
    assert.deepEqual([first?.group, first?.attributes, first?.state], ['line-2', { site: 'hall 2, north' }, 'active'])
    assert.deepEqual([second?.group, second?.attributes, second?.state], [null, { line: '4' }, 'disabled'])
    assert.equal(third?.state, 'retired')
    assert.deepEqual([first?.keyStorage, second?.keyStorage], ['tpm', null])
    const { items } = await answered<PageView<{ id: string }>>(ask(api, 'GET', '/devices?attr.site=hall+2%2C+north'))
    assert.deepEqual(
      items.map(({ id }) => id),
      ['pump-7'],
    )
  })

  test('takes what spreadsheets write: a byte order mark, CRLF or CR, semicolons, tabs, blank lines, no last line end', async (t) => {
    const api = await apiParts(t)
    const texts = [
      '\ufeffid,group\r\na1,x\r\n\r\n  \r\na2,y\r\n',
      'id;group;attr.note\nb1;x;"1,5; half"\nb2;y;',
      'id\tgroup\nc1\tx\nc2\ty',
      'id,group\rd1,x\rd2,y\r',
      ' id , group \ne1,x\ne2,y\n',
    ]
    for (const text of texts)
      assert.deepEqual(
        (await importing(api, text)).rows.map(({ result }) => result),
        ['created', 'created'],
        text,
      )
    assert.deepEqual((await shown(api, 'b1')).attributes, { note: '1,5; half' })
    assert.equal((await shown(api, 'd2')).group, 'y')
  })

  test('grants profiles and names where a row says so, and says of each row why it cannot', async (t) => {
    const api = await apiParts(t)
    const text = [
      'id,profiles,dnsNames,ipAddresses',
      'press-4,device dual,press-4.plant.example press.plant.example,10.3.0.11',
      'press-5,,,',
      'press-6,-,,',
      'press-7,none,,',
      'press-8,user,,',
      'press-9,,*.plant.example,',
      'press-4b,dual,,10.0.0.0/8',
    ].join('\n')
    const { rows } = await importing(api, text)
    assert.deepEqual(
      rows.map(({ result, code }) => code ?? result),
      ['created', 'created', 'created', 'profile-not-found', 'profile-not-granted', 'name-invalid', 'name-invalid'],
    )
    const press = await shown(api, 'press-4')
    assert.deepEqual(press.profiles, ['device', 'dual'])
    assert.deepEqual(
      [press.dnsNames, press.ipAddresses],
      [['press-4.plant.example', 'press.plant.example'], ['10.3.0.11']],
    )
    assert.deepEqual((await shown(api, 'press-5')).profiles, ['device'])
    assert.deepEqual((await shown(api, 'press-6')).profiles, [])
    const again = 'id,profiles,dnsNames\npress-4,,\npress-5,device,\npress-6,dual,\n'
    assert.deepEqual(
      (await importing(api, again)).rows.map(({ result, code }) => code ?? result),
      ['unchanged', 'unchanged', 'identity-differs'],
    )
  })

  test('is refused as a whole, before anything is done, when its header or its encoding is wrong', async (t) => {
    const api = await apiParts(t)
    const wrong: readonly (readonly [body: string | Buffer, named: RegExp])[] = [
      ['', /is empty/],
      ['\n\n', /is empty/],
      ['group\nx\n', /no column "id"/],
      ['id,gruop\na,x\n', /"gruop"/],
      ['id,attr.\na,x\n', /"attr\."/],
      ['id,attr.2nd\na,x\n', /"attr\.2nd", which names no attribute/],
      ['id,attr.__proto__\na,x\n', /"attr\.__proto__"/],
      ['id,group,group\na,x,y\n', /"group" twice/],
      ['id,"group\na,x\n', /a quote is not closed/],
      [`id,${'attr.site,'.repeat(10_000)}\na,x\n`, /longer than 65,536 bytes/],
      [Buffer.from('id,group\na,K\xf6ln\n', 'latin1'), /not UTF-8/],
    ]
    for (const [body, named] of wrong) {
      const answer = await ask(api, 'POST', '/devices/import', body, csv)
      const { detail, faults } = assertProblem(answer, 400, 'request-invalid')
      assert.match(detail, named)
      assert.equal(faults?.[0]?.in, 'body')
    }
    assertProblem(
      await ask(api, 'POST', '/devices/import', '{}', { 'content-type': 'application/json' }),
      415,
      'media-type-unsupported',
    )
    assertProblem(await ask(api, 'POST', '/devices/import'), 415, 'media-type-unsupported')
    assertProblem(await ask(api, 'POST', '/devices/import?dryrun=true', 'id\na\n', csv), 400, 'request-invalid')
    assertProblem(await ask(api, 'POST', '/devices/import?tokens=1', 'id\na\n', csv), 400, 'request-invalid')
  })

  test('says of each row that is no device what is wrong, and takes the others', async (t) => {
    const api = await apiParts(t)
    await answered(ask(api, 'POST', '/devices', { id: 'there', group: 'x' }), 201)
    await answered(ask(api, 'POST', '/devices', { id: 'same', group: 'x' }), 201)
    await answered(ask(api, 'POST', '/devices', { id: 'gone' }), 201)
    await answered(ask(api, 'POST', '/devices/gone/retire'))
    await api.hub.store.write((tx) => tx.identities.insert(fakeIdentity('hub', { kind: 'service', state: 'active' })))
    const result = await importing(
      api,
      [
        'id,group,attr.site,attr.line',
        'good-1,x,hall-2,',
        'a/b,x,,',
        ',x,,',
        'there,y,,',
        'same,x,,',
        'gone,,,',
        'hub,,,',
        'good-1,x,hall-2,',
        'bad-1,x#,,',
        'bad-2,x,,4#',
        'bad-3,x',
        'bad-4,x,,,5',
        'bad-5,"x,,',
        'bad-6,"x"y,,',
        `long,${'x'.repeat(limits.importRowBytesMax)},,`,
        'good-2,x,,',
      ].join('\n'),
    )
    assert.deepEqual(short(result), [
      'good-1 created',
      'a/b invalid identity-id-invalid',
      'invalid request-invalid',
      'there conflict identity-differs',
      'same unchanged',
      'gone conflict identity-exists',
      'hub conflict identity-exists',
      'good-1 conflict import-row-repeated',
      'bad-1 invalid request-invalid',
      'bad-2 invalid request-invalid',
      'invalid request-invalid',
      'invalid request-invalid',
      'invalid request-invalid',
      'invalid request-invalid',
      'invalid request-invalid',
      'good-2 created',
    ])
    assert.deepEqual(result.summary, { rows: 16, created: 2, unchanged: 1, conflict: 4, invalid: 9, dryRun: false })
    const details = result.rows.map(({ detail = '' }) => detail)
    assert.match(details[3] ?? '', /"there" is registered already and is in group "x"/)
    assert.match(details[7] ?? '', /row 1 has the id "good-1" already/)
    assert.match(details[9] ?? '', /"attributes\.line": the value "4#"/)
    assert.match(details[10] ?? '', /2 cells, and the header has 4 columns/)
    assert.match(details[12] ?? '', /quotes are not closed/)
    for (const { code, hint } of result.rows) assert.equal(code === undefined, hint === undefined)
  })

  test('names the earlier row of a repeated id wherever the two stand, and an id that was no device is none', async (t) => {
    const api = await apiParts(t)
    const rows = ['twice,x', ...Array.from({ length: limits.importBatchRows + 5 }, (_, n) => `d-${n},x`), 'twice,x']
    const { rows: results } = await importing(api, `id,group\n${rows.join('\n')}`)
    assert.match(results.at(-1)?.detail ?? '', /row 1 has the id "twice" already/)
    const again = await importing(api, 'id,group\nfirst,a#\nfirst,a\n')
    assert.deepEqual(short(again), ['first invalid request-invalid', 'first created'])
  })
})

describe('an import of NDJSON', () => {
  test('takes a JSON object in each line, and refuses what is none', async (t) => {
    const api = await apiParts(t)
    const lines = [
      '{"id":"pump-7","group":"line-2","attributes":{"site":"Köln","empty":""}}',
      '',
      '{"id":"pump-8","state":"disabled"}',
      '{"id":"pump-9"',
      '["pump-9"]',
      'null',
      '{"id":9}',
      '{"id":"pump-9","colour":"red"}',
      '{"id":"pump-9","state":"gone"}',
      '{"id":"pump-9","attributes":{"__proto__":"x"}}',
      `{"id":"pump-9","attributes":${'['.repeat(20_000)}}`,
    ]
    const result = await importing(api, lines.join('\r\n'), ndjson)
    assert.deepEqual(short(result), [
      'pump-7 created',
      'pump-8 created',
      ...Array.from({ length: 4 }, () => 'invalid request-invalid'),
      'pump-9 invalid request-invalid',
      'pump-9 invalid request-invalid',
      'pump-9 invalid request-invalid',
      'invalid request-invalid',
    ])
    assert.deepEqual((await shown(api, 'pump-7')).attributes, { site: 'Köln', empty: '' })
    assert.match(result.rows[6]?.detail ?? '', /"colour" is not known/)
  })

  test('may be of nothing', async (t) => {
    const { rows, summary } = await importing(await apiParts(t), '', ndjson)
    assert.deepEqual([rows, summary?.rows], [[], 0])
  })
})

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
