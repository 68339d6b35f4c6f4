/**
 * A fleet renews while it works: a thousand devices that send without a pause exchange key and certificate, half of them after
 * the issuing authority has changed. Meanwhile the policy is written in another order, made narrower and rolled back. Nothing that
 * was acknowledged is lost, and in the end nobody may more or less than before.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { RollOverView } from '../../src/api-schema/authority-views.ts'
import type { ImportRowView } from '../../src/api-schema/bulk.ts'
import { parseBootstrap } from '../../src/core/identity/bootstrap.ts'
import { Secret } from '../../src/core/secret.ts'
import { fetchAuthority } from '../../src/device/est-client.ts'
import { FleetDevice } from '../support/fleet-device.ts'
import { isOnPostgres } from '../support/hub-database.ts'
import { startHubProcess } from '../support/hub-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** On PostgreSQL fewer: as many of them do something at one time there, and what more would bring is load on the gate, which is the same. */
const deviceCount = isOnPostgres ? 300 : 1_000
/** Milliseconds between two messages of a device. */
const pauseMs = 2_000
/** Devices that do the same at one time. */
const atOnce = 16
/** Milliseconds until the last message must have come back. */
const settledMs = 30_000

/** Does something with each, with so many at one time. */
async function each<T>(all: readonly T[], work: (one: T, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const goOn = async (): Promise<void> => {
    for (let index = next++; index < all.length; index = next++) await work(all[index] as T, index)
  }
  await Promise.all(Array.from({ length: atOnce }, goOn))
}

/** Milliseconds. On two free cores it takes less than a minute. */
const wholeMs = 600_000

test('a fleet renews under load: no message is lost, no rights change', { timeout: wholeMs }, async (t) => {
  const folder = temporaryFolder(t)
  const hub = await startHubProcess(t, { data: join(folder, 'data') })
  const ids = Array.from({ length: deviceCount }, (_, n) => `press-${n}`)
  const [list, results] = [join(folder, 'fleet.csv'), join(folder, 'results.ndjson')]
  writeFileSync(list, `id,group\n${ids.map((id, n) => `${id},line-${n % 4}`).join('\n')}\n`)
  const imported = await hub.cli(['device', 'import', list, '--tokens', '--out', results])
  assert.equal(imported.status, 0, imported.stderr)
  const bootstraps = bootstrapsIn(results)
  assert.equal(bootstraps.length, deviceCount)
  const [first = ''] = bootstraps
  const authorityNow = () => fetchAuthority(parseBootstrap(new Secret(first)))
  const authority = await authorityNow()
  const devices = bootstraps.map((text, n) => new FleetDevice(text, authority, hub.mqtt.port, n % 4 === 3 ? 4 : 5))
  t.after(() => Promise.all(devices.map((device) => device.end())))

  const rightsOf = (device: FleetDevice, n: number) => device.rights(topicsAround(n))
  /** Of every device, or of every tenth. */
  const rightsOfEvery = async (step: 1 | 10): Promise<readonly object[]> => {
    const found: object[] = []
    const asked = devices.map((device, n) => ({ device, n })).filter(({ n }) => n % step === 0)
    await each(asked, async ({ device, n }, place) => {
      found[place] = await rightsOf(device, n)
    })
    return found
  }
  const activate = async (name: string, lines: readonly string[]): Promise<void> => {
    const file = join(folder, `${name}.yaml`)
    writeFileSync(file, policyOf(lines))
    await hub.json(['policy', 'add', file, '--activate'])
  }
  const renewed = async (some: readonly FleetDevice[]): Promise<void> => {
    const { others } = await authorityNow()
    await each(some, async (device) => {
      await device.renew(others)
      await device.connect()
    })
  }

  await t.test('they enrol, connect and send', async () => {
    await each(devices, async (device) => {
      await device.enrol()
      await device.connect()
    })
    for (const device of devices) device.start(pauseMs)
  })
  await activate('first', statements)
  const before = await rightsOfEvery(1)
  assert.deepEqual(before[0], {
    ...{ 'subscribe own': 1, 'subscribe group': 1, 'subscribe locked': 1 },
    ...{ 'subscribe neighbour': 0x87, 'subscribe plant': 0x87 },
    ...{
      'publish own': 0,
      'publish group': 0,
      'publish locked': 0x87,
      'publish neighbour': 0x87,
      'publish plant': 0x87,
    },
  })
  const [firstHalf, secondHalf] = [devices.slice(0, deviceCount / 2), devices.slice(deviceCount / 2)]
  const issuers = () => new Set(devices.map(({ issuer }) => issuer))
  assert.equal(issuers().size, 1)

  await t.test('half of them renew, while the policy is written in another order: rights stay', async () => {
    await Promise.all([renewed(firstHalf), activate('other-order', statements.toReversed())])
    assert.deepEqual(
      await rightsOfEvery(10),
      before.filter((_, n) => n % 10 === 0),
    )
  })

  await t.test('a narrower policy takes rights from sessions that live', async () => {
    await activate('narrower', statements.slice(1))
    const [, , , , fifth] = devices
    const now = await rightsOf(fifth ?? assert.fail(), 4)
    const lost = { 'subscribe group': 0x87, 'subscribe locked': 0x87, 'publish group': 0x87, 'publish locked': 0x87 }
    assert.deepEqual(now, { ...before[4], ...lost })
  })

  await t.test(
    'the issuing authority changes and the other half renews, while that policy is rolled back',
    async () => {
      const rolled = await hub.json<RollOverView>(['ca', 'rotate', 'issuing'])
      assert.equal(rolled.state, 'switched')
      await Promise.all([renewed(secondHalf), hub.json(['policy', 'rollback'])])
      assert.equal(issuers().size, 2)
      assert.deepEqual(await rightsOfEvery(1), before)
    },
  )

  await t.test(
    'every message that was acknowledged has come back, and no connection has ended but those replaced',
    async () => {
      await Promise.all(devices.map((device) => device.stop()))
      const missing = () => devices.flatMap(missingOf)
      for (let waited = 0; missing().length > 0 && waited < settledMs; waited += 100) await delay(100)
      assert.deepEqual(missing(), [])
      assert.deepEqual(
        devices.flatMap(({ surprises }) => surprises),
        [],
      )
      const sent = devices.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
      t.diagnostic(`${sent} messages`)
      assert.ok(sent > 2 * deviceCount, `${sent} messages are no load`)
    },
  )

  const { status, stdout, stderr } = await hub.cli(['check'])
  assert.equal(status, 0, stdout + stderr)
})

/** Where the n-th device may or may not publish and subscribe. */
function topicsAround(n: number): Readonly<Record<string, string>> {
  return {
    own: `devices/press-${n}/probe`,
    group: `lines/line-${n % 4}/press-${n}`,
    locked: `lines/line-${n % 4}/locked/press-${n}`,
    neighbour: `devices/press-${(n + 1) % deviceCount}/probe`,
    plant: 'plant/alarms',
  }
}

/** The first gives a right, the second takes a part of it away, in whatever order they stand. */
const statements = [
  "{ allow: [publish, subscribe, receive], topics: ['lines/${identity.group}/#'] }",
  "{ deny: [publish], topics: ['lines/+/locked/#'] }",
]

function policyOf(lines: readonly string[]): string {
  const bindings = ['  - { roles: [own-topics], to: everyone }', '  - { roles: [line], to: { kind: device } }']
  // They follow the order of the statements.
  if (lines[0] !== statements[0]) bindings.reverse()
  return ['roles:', `  line: { statements: [${lines.join(', ')}] }`, 'bindings:', ...bindings, ''].join('\n')
}

function missingOf({ id, acknowledged, received }: FleetDevice): readonly string[] {
  const missing: string[] = []
  for (let number = 1; number <= acknowledged; number++) if (!received.has(number)) missing.push(`${id}: ${number}`)
  return missing
}

function bootstrapsIn(results: string): readonly string[] {
  return readFileSync(results, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Partial<ImportRowView> => JSON.parse(line))
    .map(({ bootstrap }) => bootstrap)
    .filter((bootstrap) => bootstrap != null)
}
