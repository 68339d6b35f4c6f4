import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { incidentChanges, keepIncidents, noteIncidents } from '../../src/hub/note-incidents.ts'
import type { PartyCounts, SharedTrouble } from '../../src/hub/ports/cases.ts'
import type { Incident } from '../../src/hub/ports/incidents.ts'
import { fakeRefusals } from '../contract/store-fakes.ts'
import { type HubParts, hubParts, noonMs } from '../support/hub-parts.ts'

const window = limits.incidentWindowMs
const expired = { listener: 'plant', code: 'certificate-expired', issuer: 'CN=issuing' } as const

function refuse(
  hub: HubParts,
  names: readonly string[],
  change: Parameters<typeof fakeRefusals>[1] = {},
): Promise<void> {
  const atMs = hub.clock.nowMs()
  return hub.store.write((tx) =>
    tx.cases.addAll(names.map((name) => fakeRefusals(name, { listener: 'plant', lastAtMs: atMs, ...change }))),
  )
}

function pumps(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `pump-${n}`)
}

function logged(hub: HubParts): readonly string[] {
  return hub.log.lines
    .filter(({ message }) => message.startsWith('an incident'))
    .map(({ level, message }) => `${level}: ${message}`)
}

describe('an incident', () => {
  test('begins where one cause refuses five on one listener, ends where fewer than three are left, and is logged at both', async (t) => {
    const hub = await hubParts(t)
    await refuse(hub, pumps(4))
    await refuse(hub, ['valve-1'], { listener: 'mqtt' })
    await refuse(hub, ['valve-2'], { code: 'identity-disabled' })
    await noteIncidents(hub)
    assert.deepEqual(await hub.store.incidents.standing(), [])
    await refuse(hub, ['pump-4'])
    await noteIncidents(hub)
    await noteIncidents(hub)
    const [incident, ...others] = await hub.store.incidents.standing()
    assert.deepEqual(others, [])
    assert.deepEqual(incident, {
      ...{ ...expired, number: incident?.number, isSudden: true, examples: pumps(5) },
      parties: { identities: 5, certificates: 0, networks: 0 },
      ...{ beganAtMs: noonMs, lastAtMs: noonMs, endedAtMs: null },
    })
    assert.deepEqual(logged(hub), ['warn: an incident has begun'])
    const told = hub.log.lines.at(-1)?.fields
    assert.equal(told?.owner, 'operator')
    assert.match(String(told?.why), /^5 devices are refused on the listener plant: /)

    hub.clock.advance(60_000)
    const came = pumps(2).map((name) => ({ kind: 'identity' as const, name }))
    await hub.store.write((tx) => tx.cases.admitted('plant', came, hub.clock.nowMs()))
    await noteIncidents(hub)
    assert.deepEqual((await hub.store.incidents.standing())[0]?.parties.identities, 3)
    await hub.store.write((tx) => tx.cases.admitted('plant', [{ kind: 'identity', name: 'pump-2' }], hub.clock.nowMs()))
    await noteIncidents(hub)
    await noteIncidents(hub)
    assert.deepEqual(await hub.store.incidents.standing(), [])
    const [ended] = (await hub.store.incidents.list({ after: null, limit: 10 })).items
    assert.deepEqual([ended?.endedAtMs, ended?.parties.identities], [noonMs + 60_000, 3])
    assert.deepEqual(logged(hub), ['warn: an incident has begun', 'info: an incident has ended'])
  })

  test('ends when nobody has been refused for a while', async (t) => {
    const hub = await hubParts(t)
    await refuse(hub, pumps(6))
    await noteIncidents(hub)
    hub.clock.advance(window)
    await noteIncidents(hub)
    assert.equal((await hub.store.incidents.standing()).length, 1)
    hub.clock.advance(1)
    await noteIncidents(hub)
    assert.equal((await hub.store.incidents.standing()).length, 0)
  })

  test('is not sudden where its devices have been refused for long', async (t) => {
    const hub = await hubParts(t)
    await refuse(hub, pumps(5))
    hub.clock.advance(window + 1)
    await refuse(hub, pumps(5))
    await noteIncidents(hub)
    const isSudden = async () => (await hub.store.incidents.standing()).map((each) => each.isSudden)
    assert.deepEqual(await isSudden(), [false])
    await refuse(hub, ['a', 'b', 'c', 'd', 'e'])
    await noteIncidents(hub)
    assert.deepEqual(await isSudden(), [true])
  })

  test('is none where the network fails, whatever number of devices', async (t) => {
    const hub = await hubParts(t)
    for (const code of ['connection-lost', 'closed-unused', 'not-tls'] as const) await refuse(hub, pumps(9), { code })
    await noteIncidents(hub)
    assert.deepEqual(await hub.store.incidents.standing(), [])
  })

  test('is noted by one of two processes', async (t) => {
    const hub = await hubParts(t)
    await refuse(hub, pumps(5))
    const [one, other] = [keepIncidents(hub, 'one'), keepIncidents(hub, 'other')]
    t.after(() => Promise.all([one.stop(), other.stop()]))
    assert.deepEqual([await one.round(), await other.round()], [true, false])
    // A process that was suspended may look beside another.
    await Promise.all([noteIncidents(hub), noteIncidents(hub)])
    assert.equal((await hub.store.incidents.standing()).length, 1)
    assert.equal(logged(hub).length, 1)
  })
})

describe('many incidents', () => {
  const none: PartyCounts = { identities: 0, certificates: 0, networks: 0 }
  const trouble = (n: number, certificates: number): SharedTrouble => ({
    ...{ listener: 'mqtt', code: 'certificate-foreign-authority', issuer: `CN=${n}` },
    ...{ parties: { ...none, certificates }, newcomers: 0, lastAtMs: noonMs },
  })
  const standing = (n: number): Incident => ({
    ...{ listener: 'mqtt', code: 'certificate-foreign-authority', issuer: `CN=${n}`, number: n },
    ...{ parties: { ...none, certificates: 5 }, isSudden: false, examples: [] },
    ...{ beganAtMs: 1, lastAtMs: noonMs, endedAtMs: null },
  })

  test('stand in bounded number, whatever issuers strangers make up', () => {
    const max = limits.incidentsStandingMax
    const shared = Array.from({ length: max + 50 }, (_, n) => trouble(n, 9))
    const { begun, changed, ended } = incidentChanges([standing(0), standing(1), standing(max + 99)], shared, noonMs)
    assert.deepEqual([begun.length, changed.length, ended.length], [max - 2, 2, 1])
  })

  test('that are as they were are not written again', () => {
    const { changed } = incidentChanges([standing(0), standing(1)], [trouble(0, 5), trouble(1, 6)], noonMs)
    assert.deepEqual(
      changed.map(({ number }) => number),
      [1],
    )
  })
})
