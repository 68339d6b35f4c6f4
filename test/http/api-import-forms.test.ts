/** The bodies of an import: CSV and NDJSON, what is taken of them, and what is refused row by row. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PageView } from '../../src/api-schema/views.ts'
import { limits } from '../../src/core/limits.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'
import { answered, apiParts, ask } from './api-parts.ts'
import { csv, importing, ndjson, short, shown } from './importing.ts'
import { assertProblem } from './problem.ts'

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
