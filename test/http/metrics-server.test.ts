/** Metrics and health on an address of their own: the exposition, its bounds, and what a look at the hub shows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { HubError } from '../../src/core/errors.ts'
import { failure, failureNames } from '../../src/core/failure/catalogue.ts'
import { limits } from '../../src/core/limits.ts'
import { definitions } from '../../src/http/metrics/definitions.ts'
import { HubMetrics } from '../../src/http/metrics/hub-metrics.ts'
import { metricsServer } from '../../src/http/metrics/metrics-server.ts'
import type { HubFigures } from '../../src/hub/figures.ts'
import type { ReadinessVerdict } from '../../src/hub/readiness.ts'
import { LogBook, noonMs, StandingClock } from '../support/hub-parts.ts'
import { assertProblem } from './problem.ts'

const figures: HubFigures = {
  gate: {
    ...{ sessions: 3, halfOpen: 2, connectionsAccepted: 9 },
    ...{ packetsFromClients: 11, bytesFromClients: 12, packetsToClients: 13, bytesToClients: 14 },
  },
  broker: { isUp: true, restarts: 7 },
  writesWaiting: 5,
  isJournaling: true,
  authorities: [
    { id: 'root-1', role: 'root', notAfterSec: 2_000_000_000, crl: null },
    {
      id: 'issuing-1',
      role: 'issuing',
      notAfterSec: 1_900_000_000,
      crl: { thisUpdateMs: noonMs, nextUpdateMs: noonMs + 1_000 },
    },
  ],
  serverNotAfterSec: 1_800_000_000,
  revocationsWaitingMs: new Map([
    ['gate', 0],
    ['crl', 2_500],
  ]),
  readiness: { isReady: true, reasons: [] },
  followers: [{ name: 'gate', unhandled: 4, oldestUnhandledMs: 1_500 }],
  incidents: [{ listener: 'plant', code: 'certificate-expired', parties: 14 }],
  counts: {
    atMs: noonMs,
    certificates: [{ profile: 'device', state: 'active', remaining: 'under_14d', count: 42 }],
    identities: new Map([['active', 40]]),
  },
}

interface Bed {
  readonly app: FastifyInstance
  readonly metrics: HubMetrics
  readonly clock: StandingClock
  /** How often the hub was looked at. */
  looks(): number
  /** What the hub shows from now on. */
  show(change: Partial<HubFigures> | HubError): void
  /** The lines of /metrics that begin with this name, a second later. */
  lines(name: string): Promise<readonly string[]>
}

function bed(t: { after(step: () => unknown): void }, verdict?: ReadinessVerdict): Bed {
  const metrics = new HubMetrics('1.2.3')
  const clock = new StandingClock(noonMs)
  let shown: HubFigures | HubError = figures
  let looks = 0
  const app = metricsServer({
    metrics,
    clock,
    log: new LogBook(),
    readiness: { judge: async () => verdict ?? { isReady: true, reasons: [] } },
    async figures() {
      looks += 1
      if (shown instanceof HubError) throw shown
      return shown
    },
  })
  t.after(() => app.close())
  return {
    ...{ app, metrics, clock },
    looks: () => looks,
    show(change) {
      shown = change instanceof HubError ? change : { ...figures, ...change }
    },
    async lines(name) {
      clock.advance(limits.answerKeptMs)
      const { statusCode, body } = await app.inject('/metrics')
      assert.equal(statusCode, 200, body)
      return body.split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line))
    },
  }
}

test('metrics are in the text format of Prometheus, each with its help and type', async (t) => {
  const { app } = bed(t)
  const { headers, body } = await app.inject('/metrics')
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  assert.equal(headers['cache-control'], 'no-store')
  for (const [name, { type }] of Object.entries(definitions)) {
    assert.match(body, new RegExp(`^# HELP ${name} \\S`, 'm'))
    assert.match(body, new RegExp(`^# TYPE ${name} ${type}$`, 'm'))
  }
})

test('a look at the hub is shown', async (t) => {
  const { lines } = bed(t)
  const shown: Readonly<Record<string, readonly string[]>> = {
    handfast_build_info: ['{version="1.2.3"} 1'],
    handfast_sessions: [' 3'],
    handfast_connections_half_open: [' 2'],
    handfast_connections_accepted_total: [' 9'],
    handfast_mqtt_packets_total: ['{direction="from_client"} 11', '{direction="to_client"} 13'],
    handfast_mqtt_bytes_total: ['{direction="from_client"} 12', '{direction="to_client"} 14'],
    handfast_certificates: ['{profile="device",state="active",remaining="under_14d"} 42'],
    handfast_identities: ['{state="active"} 40'],
    handfast_registry_writes_waiting: [' 5'],
    handfast_registry_counted_timestamp_seconds: [` ${noonMs / 1000}`],
    handfast_events_unhandled: ['{follower="gate"} 4'],
    handfast_events_oldest_unhandled_seconds: ['{follower="gate"} 1.5'],
    handfast_revocation_waiting_seconds: ['{target="gate"} 0', '{target="crl"} 2.5'],
    handfast_crl_this_update_timestamp_seconds: [`{authority="issuing-1"} ${noonMs / 1000}`],
    handfast_crl_next_update_timestamp_seconds: [`{authority="issuing-1"} ${noonMs / 1000 + 1}`],
    handfast_authority_not_after_timestamp_seconds: [
      '{authority="root-1",role="root"} 2000000000',
      '{authority="issuing-1",role="issuing"} 1900000000',
    ],
    handfast_server_certificate_not_after_timestamp_seconds: [' 1800000000'],
    handfast_broker_up: [' 1'],
    handfast_broker_restarts_total: [' 7'],
    handfast_journal_up: [' 1'],
    handfast_ready: [' 1'],
  }
  for (const [name, ends] of Object.entries(shown)) {
    assert.deepEqual(
      await lines(name),
      ends.map((end) => `${name}${end}`),
    )
  }
})

test('what the hub shows twice is not counted twice, and what it no longer knows is not shown as it was', async (t) => {
  const { lines, show } = bed(t)
  await lines('handfast_sessions')
  assert.deepEqual(await lines('handfast_connections_accepted_total'), ['handfast_connections_accepted_total 9'])
  const revocationsWaitingMs = new Map([['gate', null]])
  assert.deepEqual(await lines('handfast_incident_parties'), [
    'handfast_incident_parties{listener="plant",code="certificate-expired"} 14',
  ])
  show({ followers: null, counts: null, incidents: null, revocationsWaitingMs, broker: { isUp: false, restarts: 8 } })
  for (const name of [
    'certificates',
    'identities',
    'registry_counted_timestamp_seconds',
    'events_unhandled',
    'incident_parties',
  ]) {
    assert.deepEqual(await lines(`handfast_${name}`), [], name)
  }
  assert.deepEqual(await lines('handfast_revocation_waiting_seconds'), [])
  assert.deepEqual(await lines('handfast_broker_up'), ['handfast_broker_up 0'])
  assert.deepEqual(await lines('handfast_broker_restarts_total'), ['handfast_broker_restarts_total 8'])
})

test('what the parts tell is counted under names of the catalogue', async (t) => {
  const { metrics, lines } = bed(t)
  metrics.attempt({ listener: 'mqtt', outcome: 'admitted', stage: 'session', code: null })
  metrics.attempt({ listener: 'est', outcome: 'refused', stage: 'enrolment', code: 'token-used' })
  metrics.attempt({ listener: 'est', outcome: 'refused', stage: 'enrolment', code: 'token-used' })
  metrics.attemptDropped()
  metrics.sessionEnded('client-disconnect')
  metrics.issuance('device', 'issued')
  metrics.enrolmentRefused('token-used')
  metrics.renewal('device', 'renewed')
  metrics.renewalContested('device')
  metrics.writesRefused(12, 'database')
  assert.deepEqual(await lines('handfast_attempts_total'), [
    'handfast_attempts_total{listener="mqtt",outcome="admitted",stage="session",code="none"} 1',
    'handfast_attempts_total{listener="est",outcome="refused",stage="enrolment",code="token-used"} 2',
  ])
  const counted = {
    attempts_unrecorded_total: ' 1',
    sessions_ended_total: '{cause="client-disconnect"} 1',
    issuances_total: '{profile="device",outcome="issued"} 1',
    enrolments_refused_total: '{code="token-used"} 1',
    renewals_contested_total: '{profile="device"} 1',
    renewals_total: '{profile="device",outcome="renewed"} 1',
    registry_writes_refused_total: '{reason="database"} 12',
  }
  for (const [name, end] of Object.entries(counted)) {
    assert.ok((await lines(`handfast_${name}`)).includes(`handfast_${name}${end}`), name)
  }
})

test('times are told in seconds, and a clock that was set back takes none away', async (t) => {
  const { metrics, lines } = bed(t)
  metrics.revocationApplied('gate', 4)
  metrics.revocationApplied('gate', -3_600_000)
  metrics.committed(3, 20)
  const value = async (name: string): Promise<string | undefined> => (await lines(name)).at(0)?.split(' ').at(1)
  assert.equal(await value('handfast_revocation_latency_seconds_sum'), '0.004')
  assert.equal(await value('handfast_revocation_latency_seconds_count'), '2')
  assert.equal(await value('handfast_registry_commit_duration_seconds_sum'), '0.02')
  assert.equal(await value('handfast_registry_writes_per_commit_sum'), '3')
})

test('the number of series is bounded, whatever happens to the fleet', async (t) => {
  const { metrics, app } = bed(t)
  for (const code of failureNames) {
    metrics.sessionEnded(code)
    metrics.enrolmentRefused(code)
    for (const listener of ['mqtt', 'est']) {
      for (const stage of ['tls', 'session'] as const) metrics.attempt({ listener, outcome: 'refused', stage, code })
    }
  }
  const { body } = await app.inject('/metrics')
  const series = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.ok(series.length < failureNames.length * 6 + 300, `${series.length} series`)
})

test('however often metrics are asked for, the hub is looked at once in a second', async (t) => {
  const { app, clock, looks } = bed(t)
  await Promise.all(Array.from({ length: 20 }, () => app.inject('/metrics')))
  assert.equal(looks(), 1)
  clock.advance(limits.answerKeptMs)
  await app.inject('/metrics')
  assert.equal(looks(), 2)
})

test('a hub that starts has no figures yet, and says so', async (t) => {
  const { app, show } = bed(t)
  show(new HubError('hub-starting', 'the hub does not serve yet'))
  assertProblem(await app.inject('/metrics'), 503, 'hub-starting')
  show({})
  assert.equal((await app.inject('/metrics')).statusCode, 200)
})

test('the operator reads why the hub is not ready, with the cure of each reason', async (t) => {
  const reasons = [{ code: 'store-unavailable', sentence: 'the registry has refused the last write' }] as const
  const { app } = bed(t, { isReady: false, reasons })
  assert.deepEqual((await app.inject('/healthz')).json(), { status: 'ok' })
  const answer = await app.inject('/readyz')
  assert.equal(answer.statusCode, 503)
  assert.equal(answer.headers['cache-control'], 'no-store')
  const { status, reasons: told } = answer.json()
  assert.equal(status, 'not ready')
  assert.deepEqual(told, [
    {
      code: 'store-unavailable',
      failureId: 'HF-9109',
      sentence: 'the registry has refused the last write',
      cure: failure('store-unavailable').cure,
    },
  ])
  const ready = await bed(t).app.inject('/readyz')
  assert.deepEqual([ready.statusCode, ready.json()], [200, { status: 'ready', reasons: [] }])
})
