/** A fleet in a file: imported by the command line, through a hub that is killed, and exported again. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ImportRowView, ImportSummaryView } from '../../src/api-schema/bulk.ts'
import type { AuditEntryView, PageView } from '../../src/api-schema/views.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { Secret } from '../../src/core/secret.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function linesOf(path: string): readonly object[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

const rowsIn = (path: string): readonly ImportRowView[] =>
  linesOf(path).filter((line): line is ImportRowView => 'row' in line)

test('an import goes on after kill -9 of the hub: every device once, every string good', async (t) => {
  const folder = temporaryFolder(t)
  const [data, fleet, results] = [join(folder, 'data'), join(folder, 'fleet.csv'), join(folder, 'results.ndjson')]
  const count = 10_000
  const ids = Array.from({ length: count }, (_, n) => `dev-${n}`)
  writeFileSync(fleet, `id,group,attr.site\n${ids.map((id, n) => `${id},line-${n % 9},hall-${n % 4}`).join('\n')}\n`)
  const first = await startHubProcess(t, { data })
  const args = ['device', 'import', fleet, '--tokens', '--out', results]
  const cut = first.cli(args)
  while (rowsIn(results).length < 500) await delay(10)
  await first.kill()
  const interrupted = await cut
  assert.equal(interrupted.status, 6, interrupted.stderr)
  const before = rowsIn(results)
  assert.ok(before.length >= 500 && before.length < count, `${before.length} rows`)

  const second = await startHubProcess(t, { data })
  const again = await second.cli(args)
  assert.equal(again.status, 0, again.stderr)
  assert.equal(again.stdout, '10,000 rows: 10,000 created\n')
  const rows = rowsIn(results)
  assert.deepEqual(rows.slice(0, before.length), before, 'what was told stays as it was')
  assert.deepEqual(
    rows.map(({ id }) => id),
    ids,
  )
  assert.deepEqual(linesOf(results).at(-1), {
    summary: { rows: count, created: count, unchanged: 0, conflict: 0, invalid: 0, dryRun: false },
  } satisfies ImportSummaryView)
  const tokens = rows.map(({ bootstrap = '' }) => parseBootstrap(new Secret(bootstrap)).token.reveal())
  assert.equal(new Set(tokens).size, count)

  // The last row that was told before, the first that was told after: both strings enrol.
  for (const row of [rows[before.length - 1], rows[before.length], rows.at(-1)]) {
    const bootstrap = row?.bootstrap?.replace(/:\d+\//, `:${second.https.port}/`) ?? ''
    const enrolled = await second.cli(['enrol', '-', '--dir', join(folder, row?.id ?? '')], { input: bootstrap })
    assert.equal(enrolled.status, 0, enrolled.stderr)
  }
  const { items } = await second.json<PageView<AuditEntryView>>(['audit', '--limit', '1000'])
  const registered = items.filter(({ act }) => act === 'identity.register').map(({ subject }) => subject)
  assert.equal(new Set(registered).size, registered.length)
  const list = await second.cli(['device', 'export', '--format', 'ndjson'])
  assert.equal(list.stdout.split('\n').length - 1, count)
})

test('what is exported is taken back as it was, states included, as CSV and as NDJSON', async (t) => {
  const folder = temporaryFolder(t)
  const first = await startHubProcess(t, { data: join(folder, 'first') })
  const fleet = [
    '{"id":"pump-7","group":"line-2","attributes":{"site":"Köln, \\"Nord\\"","line":"4"}}',
    '{"id":"pump-8","state":"disabled"}',
    '{"id":"Pump-8","attributes":{"note":" spaced ; out "},"state":"retired"}',
  ].join('\n')
  const imported = await first.cli(['device', 'import', '-'], { input: fleet })
  assert.equal(imported.stdout, '3 rows: 3 created\n', imported.stderr)
  for (const format of ['csv', 'ndjson']) {
    const file = join(folder, `fleet.${format}`)
    assert.equal((await first.cli(['device', 'export', '--out', file])).status, 0)
    const same = await first.cli(['device', 'import', file])
    assert.equal(same.stdout, '3 rows: 3 unchanged\n', same.stderr)
    const second = await startHubProcess(t, { data: join(folder, format) })
    assert.equal((await second.cli(['device', 'import', file])).stdout, '3 rows: 3 created\n')
    const [there, here] = [await first.cli(['device', 'export']), await second.cli(['device', 'export'])]
    assert.equal(here.stdout, there.stdout)
    await second.kill()
  }
  const some = await first.cli(['device', 'export', '--state', 'disabled', '--format', 'ndjson'])
  assert.equal(some.stdout, '{"id":"pump-8","group":null,"state":"disabled","attributes":{}}\n')
})

test('rows that are not taken are named, counted, and become the exit status', async (t) => {
  const hub = await startHubProcess(t, { data: join(temporaryFolder(t), 'data') })
  await hub.json(['device', 'add', 'pump-7', '--group', 'line-1'])
  const input = 'id,group\npump-7,line-2\na/b,x\npump-8,x\n'
  const dry = await hub.cli(['device', 'import', '-', '--dry-run'], { input })
  const wet = await hub.cli(['device', 'import', '-'], { input })
  assert.equal(wet.status, 5)
  assert.deepEqual(wet.stdout.split('\n'), [
    'ROW  ID      RESULT    WHY',
    '1    pump-7  conflict  "pump-7" is registered already and is in group "line-1"',
    '2    a/b     invalid   "a/b" is not an identity id',
    '',
    '3 rows: 1 created, 1 conflict, 1 invalid',
    '',
  ])
  assert.match(
    wet.stderr,
    /^error: 2 of 3 rows were not taken: 1 conflict, 1 invalid\n {2}code: HF-8122 import-rows-refused\n/,
  )
  assert.equal(dry.stdout.replace(' (dry run: nothing was changed)', ''), wet.stdout)
  const json = await hub.cli(['device', 'import', '-', '--json', '--tokens'], { input: '{"id":"pump-9"}\n' })
  const [row, last] = json.stdout
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each))
  assert.match(row.bootstrap, /^handfast:\/\/localhost:/)
  assert.equal(last.summary.created, 1)
  const careless = await hub.cli(['device', 'import', '-', '--tokens'], { input })
  assert.equal(careless.status, 2)
  assert.match(careless.stderr, /nothing says where they go/)
})
