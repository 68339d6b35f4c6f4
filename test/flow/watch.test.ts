/** Health and figures of a real hub: in trouble, and on its way out. */
// one database: it brings its own
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { IncidentView } from '../../src/api-schema/cases.ts'
import type { PageView } from '../../src/api-schema/views.ts'
import { systemClock } from '../../src/machine/system.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { fakeRefusals } from '../contract/store-fakes.ts'
import { databaseEnvironment } from '../support/hub-database.ts'
import { type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected } from '../support/mqtt-client.ts'
import { needsPostgres, startPostgres } from '../support/postgres.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Readiness {
  readonly http: number
  readonly status: string
  /** Absent for strangers. */
  readonly reasons?: readonly { readonly code: string; readonly sentence: string; readonly cure: string }[]
}

/** What /readyz says, to strangers or to the operator. */
async function readiness(hub: HubProcess, to: 'strangers' | 'the operator'): Promise<Readiness> {
  const port = to === 'strangers' ? hub.http.port : hub.metrics?.port
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  return { http: response.status, ...((await response.json()) as Omit<Readiness, 'http'>) }
}

/** Asks until the answer is as wanted; fails with the last one after half a minute. */
async function until(hub: HubProcess, isWanted: (seen: Readiness) => boolean): Promise<Readiness> {
  for (let waited = 0; ; waited += 50) {
    const seen = await readiness(hub, 'the operator')
    if (isWanted(seen)) return seen
    assert.ok(waited < 30_000, JSON.stringify(seen))
    await delay(50)
  }
}

const args = ['--metrics-listen', '127.0.0.1:0']

test('a hub whose registry refuses writes says so to its operator, and is ready by itself once it takes them', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  if ('HANDFAST_DATABASE_URL' in (await databaseEnvironment(data))) return t.skip('it locks a file of SQLite')
  const hub = await startHubProcess(t, { data, args })
  assert.equal((await readiness(hub, 'strangers')).http, 200)

  const other = new DatabaseSync(join(data, 'handfast.db'))
  t.after(() => other.close())
  other.exec('begin immediate')
  const failed = await hub.cli(['device', 'add', 'pump-7'])
  assert.equal(failed.status, 6, failed.stderr)
  const { http, reasons } = await until(hub, (seen) => seen.http === 503)
  assert.equal(http, 503)
  assert.deepEqual(
    reasons?.map(({ code, sentence }) => [code, sentence]),
    [['store-unavailable', 'the registry has refused the last write']],
  )
  assert.ok((reasons?.[0]?.cure ?? '').length > 10)
  assert.deepEqual(await readiness(hub, 'strangers'), { http: 503, status: 'not ready' })

  other.exec('rollback')
  await until(hub, (seen) => seen.http === 200)
  assert.equal((await hub.cli(['device', 'add', 'pump-7'])).status, 0)
})

test(
  'a hub whose database stands still, dies and comes back says so each time, and answers meanwhile',
  needsPostgres,
  async (t) => {
    const server = await startPostgres(t)
    const env = { HANDFAST_DATABASE_URL: await server.makeDatabase() }
    const hub = await startHubProcess(t, { data: join(temporaryFolder(t), 'data'), args, env })
    const isRefusing = ({ http, reasons }: Readiness): boolean =>
      http === 503 && reasons?.some(({ code }) => code === 'store-unavailable') === true
    assert.equal((await readiness(hub, 'strangers')).http, 200)

    server.freeze()
    await until(hub, isRefusing)
    const figures = await (await fetch(`http://127.0.0.1:${hub.metrics?.port}/metrics`)).text()
    assert.match(figures, /^handfast_not_ready_reason\{code="store-unavailable"\} 1$/m)
    assert.match(figures, /^handfast_sessions 0$/m)
    assert.doesNotMatch(figures, /^handfast_events_unhandled\{/m)
    server.thaw()
    await until(hub, ({ http }) => http === 200)

    await server.kill()
    await until(hub, isRefusing)
    await server.start()
    await until(hub, ({ http }) => http === 200)
  },
)

test('a hub that is told to stop is not ready from then on, while it still says goodbye', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data'), args })
  const client = await connected(clientOptions(hub.mqtt.port, await hub.enrolled('pump-7', join(folder, 'pump-7')), 5))
  // It does not hear the farewell, so the hub waits for it.
  client.stream.pause()
  const ended = once(hub.process, 'exit')
  hub.process.kill('SIGTERM')
  const seen = await until(hub, ({ http }) => http === 503)
  assert.deepEqual(
    seen.reasons?.map(({ code }) => code),
    ['hub-stopping'],
  )
  const [stranger, figures] = await Promise.all([
    readiness(hub, 'strangers'),
    fetch(`http://127.0.0.1:${hub.metrics?.port}/metrics`).then((response) => response.text()),
  ])
  assert.deepEqual(stranger, { http: 503, status: 'not ready' })
  assert.match(figures, /^handfast_not_ready_reason\{code="hub-stopping"\} 1$/m)
  assert.equal((await ended)[0], 0)
  client.end(true)
})

test('an address for figures that others can reach is opened with a word in the log', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  const open = await startHubProcess(t, { data, args: ['--metrics-listen', '0.0.0.0:0'] })
  assert.match(open.output(), /"msg":"metrics are open to other machines, without TLS"/)
  await open.stop()
  const closed = await startHubProcess(t, { data, args })
  assert.doesNotMatch(closed.output(), /open to other machines/)
  const none = await startHubProcess(t, { data: `${data}-2` })
  assert.equal(none.metrics, null)
  assert.equal((await fetch(`http://127.0.0.1:${none.http.port}/metrics`)).status, 404)
})

test('what keeps several devices out is seen at the start, and stands in log, figures, API and status', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  mkdirSync(data, { mode: 0o700 })
  const store = await openSqliteStore({ path: join(data, 'handfast.db'), clock: systemClock })
  const names = [1, 2, 3, 4, 5].map((n) => `pump-${n}`)
  await store.write((tx) => tx.cases.addAll(names.map((name) => fakeRefusals(name, { lastAtMs: Date.now() }))))
  await store.close()
  const hub = await startHubProcess(t, { data, args, env: { HANDFAST_DATABASE_URL: '' } })
  let items: readonly IncidentView[] = []
  for (let waited = 0; items.length === 0; waited += 50) {
    assert.ok(waited < 10_000, 'there is no incident')
    await delay(50)
    items = (await hub.json<PageView<IncidentView>>(['incidents'])).items
  }
  assert.deepEqual(
    items.map(({ code, examples }) => [code, examples]),
    [['certificate-expired', names]],
  )
  const figures = await (await fetch(`http://127.0.0.1:${hub.metrics?.port}/metrics`)).text()
  assert.match(figures, /^handfast_incident_parties\{listener="mqtts",code="certificate-expired"\} 5$/m)
  assert.match((await hub.cli(['status'])).stdout, /^incident +5 devices are refused on the listener mqtts: /m)
  assert.equal(hub.output().split('an incident has begun').length, 2)
})
