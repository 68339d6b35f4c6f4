// needs: prometheus promtool
/** What we ship for Prometheus and Grafana, judged by Prometheus itself, with a hub that lives. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { definitions } from '../../src/http/metrics/definitions.ts'
import { type HubProcess, repository, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, refused } from '../support/mqtt-client.ts'
import { prometheusFolder, startPrometheus } from '../support/prometheus.ts'
import { type Finished, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const rulesFile = join(prometheusFolder, 'handfast.rules.yml')
const unitTests = join(repository, 'test/conformance/handfast.rules.test.yml')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary?: string; readonly description?: string }
}

const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] }
const rules: readonly Rule[] = groups.flatMap((group) => group.rules)

interface Panel {
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly targets?: readonly { readonly expr: string }[]
}

const dashboard = JSON.parse(readFileSync(join(repository, 'deploy/grafana/handfast.json'), 'utf8')) as {
  panels: Panel[]
  templating: { list: { name: string; type: string }[] }
}
const panels = dashboard.panels.filter(({ type }) => type !== 'row')
const expressions = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))

function promtool(...args: readonly string[]): Promise<Finished> {
  return run('promtool', args)
}

describe('the files for Prometheus', () => {
  test('are accepted by promtool, without a remark', async () => {
    for (const args of [
      ['check', 'config', join(prometheusFolder, 'prometheus.yml')],
      ['check', 'rules', '--lint=all', '--lint-fatal', rulesFile],
    ]) {
      const { status, stdout, stderr } = await promtool(...args)
      assert.equal(status, 0, stdout + stderr)
    }
  })

  test('raise each alert when they should, and not before', async () => {
    const { status, stdout, stderr } = await promtool('test', 'rules', unitTests)
    assert.equal(status, 0, stdout + stderr)
    const tested = readFileSync(unitTests, 'utf8')
    for (const { alert, labels } of rules) {
      const fired = `labels: ALERTS{alertname="${alert}", alertstate="firing", severity="${labels.severity}"`
      assert.ok(tested.includes(fired), `no test lets ${alert} fire as ${labels.severity}`)
    }
  })

  test('say of every alert what has happened and what to do', () => {
    for (const { alert, labels, annotations } of rules) {
      assert.match(labels.severity, /^(critical|warning)$/, alert)
      assert.ok((annotations.summary ?? '').length > 20, alert)
      assert.ok((annotations.description ?? '').length > 40, alert)
    }
  })
})

describe('the dashboard for Grafana', () => {
  test('has the rows that an operator looks for, and lets the source of its data be chosen', () => {
    const titles = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    assert.deepEqual(titles, [
      'Connections',
      'Refusals by cause',
      'Issuance and expiry',
      'Revocation',
      'Registry and events',
      'CRLs',
    ])
    assert.deepEqual(dashboard.templating.list[0], {
      name: 'datasource',
      label: 'Prometheus',
      type: 'datasource',
      query: 'prometheus',
    })
  })

  test('has a unit and a description on every panel', () => {
    for (const { title, description, fieldConfig, targets } of panels) {
      assert.ok((description ?? '').length > 10, title)
      assert.notEqual(fieldConfig?.defaults.unit, undefined, title)
      assert.ok((targets ?? []).length > 0, title)
    }
  })
})

/** Panels that are empty while nothing is wrong. */
const emptyInGoodTimes: ReadonlySet<string> = new Set(['Why a hub is not ready', 'Kept out by incidents'])

test('a hub is watched by Prometheus with these files, and shows what every panel and alert asks for', async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data'), args: ['--metrics-listen', '127.0.0.1:0'] })
  assert.ok(hub.metrics !== null)
  const target = `127.0.0.1:${hub.metrics.port}`
  await lead(hub, folder)
  const prometheus = await startPrometheus(t, folder, target)

  await t.test('the target is up', async () => {
    const { activeTargets } = await prometheus.until<{ activeTargets: { health: string; scrapeUrl: string }[] }>(
      'targets',
      ({ activeTargets }) => activeTargets.some(({ health }) => health === 'up'),
    )
    assert.deepEqual(
      activeTargets.map(({ scrapeUrl }) => scrapeUrl),
      [`http://${target}/metrics`],
    )
  })

  await t.test('promtool has no remark on the exposition', async () => {
    const { status, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: await exposition(target) })
    assert.deepEqual([status, stdout, stderr], [0, '', ''])
  })

  await t.test('all rules are loaded and healthy, and none of them fires', async () => {
    const loaded = await prometheus.until<{ groups: { rules: LoadedRule[] }[] }>('rules', (answer) =>
      answer.groups.flatMap((group) => group.rules).every(({ health }) => health !== 'unknown'),
    )
    const found = loaded.groups.flatMap((group) => group.rules)
    assert.equal(found.length, rules.length)
    for (const { name, health, lastError, state } of found) {
      assert.deepEqual([name, health, lastError ?? ''], [name, 'ok', ''])
      assert.notEqual(state, 'firing', name)
    }
  })

  await t.test('every metric that a rule or a panel names is there', async () => {
    const text = await exposition(target)
    const there = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1] ?? ''))
    for (const name of Object.keys(definitions)) assert.ok(there.has(name), name)
    for (const { expr } of [...rules, ...expressions]) {
      for (const [name] of expr.matchAll(/\b(?:handfast|nodejs|process)_[a-z0-9_]+/g)) {
        assert.ok(there.has(name) || there.has(name.replace(/_(?:bucket|sum|count)$/, '')), `${name} in ${expr}`)
      }
    }
  })

  await t.test('every panel shows something of a hub that has been at work', async () => {
    // A rate needs two looks at the hub, and the last of them after its work.
    await prometheus.until<{ result: { value: [number, string] }[] }>(
      'query',
      ({ result }) => Number(result[0]?.value[1] ?? 0) >= 3,
      { query: 'min(count_over_time(up{job="handfast"}[1m]))' },
    )
    for (const { title, expr } of expressions) {
      const query = expr
        .replaceAll('$job', 'handfast')
        .replaceAll('$instance', '.*')
        .replaceAll('$__rate_interval', '30s')
        .replaceAll('$__range', '1m')
      assert.doesNotMatch(query, /\$/, title)
      const { result } = await prometheus.ask<{ result: unknown[] }>('query', { query })
      assert.equal(result.length > 0, !emptyInGoodTimes.has(title), `${title}: ${query}`)
    }
  })

  await t.test('a hub that ends is missed', async () => {
    await hub.stop()
    const { alerts } = await prometheus.until<{ alerts: { labels: { alertname: string } }[] }>('alerts', (answer) =>
      answer.alerts.some(({ labels }) => labels.alertname === 'HandfastDown'),
    )
    assert.deepEqual(
      alerts.map(({ labels }) => labels.alertname),
      ['HandfastDown'],
    )
  })
})

interface LoadedRule {
  readonly name: string
  readonly health: string
  readonly lastError?: string
  readonly state: string
}

async function exposition(target: string): Promise<string> {
  const response = await fetch(`http://${target}/metrics`)
  assert.equal(response.status, 200)
  return response.text()
}

/** A device's life on a hub: enrolled, connected, revoked, refused; and one that enrols with a string that was used. */
async function lead(hub: HubProcess, folder: string): Promise<void> {
  const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
  const client = await connected(clientOptions(hub.mqtt.port, pump, 5))
  await client.publishAsync('devices/pump-7/x', 'hello', { qos: 1 })
  await client.endAsync()
  const { bootstrap } = await hub.json<BootstrapView>(['device', 'token', 'pump-7'])
  assert.equal((await hub.cli(['enrol', '-', '--dir', join(folder, 'again')], { input: bootstrap })).status, 0)
  assert.notEqual((await hub.cli(['enrol', '-', '--dir', join(folder, 'thief')], { input: bootstrap })).status, 0)
  await hub.json(['revoke', 'pump-7'])
  await refused(clientOptions(hub.mqtt.port, pump, 5))
}
