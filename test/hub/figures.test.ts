/** A look at a hub: what is counted, what waits, and what is missing when the registry does not answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import { registryAdmission } from '../../src/hub/admit.ts'
import { revokeDevice } from '../../src/hub/change-identity.ts'
import { addProfile } from '../../src/hub/change-profiles.ts'
import { enrol } from '../../src/hub/enrol.ts'
import { figuresOf, type WatchedParts } from '../../src/hub/figures.ts'
import { noteIncidents } from '../../src/hub/note-incidents.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { grantToken, registerDevice } from '../../src/hub/register-device.ts'
import { type CertificateCount, countRegistry } from '../../src/hub/registry-counts.ts'
import { currentServerCertificate } from '../../src/hub/server-certificate.ts'
import { fakeRefusals } from '../contract/store-fakes.ts'
import { deviceRequest, type HubParts, hubParts, noonMs, registered } from '../support/hub-parts.ts'

const gate = {
  ...{ sessions: 3, halfOpen: 2, connectionsAccepted: 9 },
  ...{ packetsFromClients: 1, bytesFromClients: 2, packetsToClients: 3, bytesToClients: 4 },
}

async function partsOf(hub: HubParts, change: Partial<WatchedParts> = {}): Promise<WatchedParts> {
  const certificate = await currentServerCertificate(hub, { dnsNames: ['localhost'], ipAddresses: [] })
  return {
    store: hub.store,
    journal: { isJournaling: () => true },
    clock: hub.clock,
    authorities: hub.authorities,
    gate: { figures: () => gate },
    broker: { isAvailable: () => true, restarts: () => 7 },
    crls: { datesOf: () => null, oldestOwedMs: () => null },
    serverCertificate: { inUse: () => certificate },
    followers: { gate: { position: () => 0, catchUp: async () => {}, stop: () => {} } },
    readiness: { judge: async () => ({ isReady: true, reasons: [] }) },
    ...change,
  }
}

function present(counts: readonly CertificateCount[]): readonly string[] {
  return counts.filter(({ count }) => count > 0).map((each) => Object.values(each).join(' '))
}

test('certificates are counted by profile, state and time left, and superseded ones are not', async (t) => {
  const hub = await hubParts(t)
  await currentServerCertificate(hub, { dnsNames: ['localhost'], ipAddresses: [] })
  const first = await registered(hub, 'pump-7')
  const admission = registryAdmission(hub)
  const use = async (tokenText: typeof first.tokenText): Promise<void> => {
    const { certificate } = await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('pump-7') })
    const judgement = await admission.judge(certificate)
    assert.ok(judgement.admitted)
    await admission.confirmUse(judgement)
  }
  await use(first.tokenText)
  await use((await grantToken(hub, hub.actor, first.identity.id, 3_600)).tokenText)
  const other = await registered(hub, 'pump-8')
  await enrol(hub, { tokenText: other.tokenText, claimedId: '', ...deviceRequest('pump-8') })
  await registered(hub, 'pump-9')
  await revokeDevice(hub, hub.actor, (await registered(hub, 'pump-10')).identity.id, 'unspecified')
  await addProfile(hub, hub.actor, { ...deviceProfile, name: 'plc', lifetimeSec: 86_400 })
  const plc = { id: 'plc-1', group: null, attributes: {}, tokenLifetimeSec: 3_600, profiles: ['plc'] }
  const { tokenText } = await registerDevice(hub, hub.actor, plc)
  await enrol(hub, { tokenText, claimedId: '', ...deviceRequest('plc-1') })

  const now = await countRegistry(hub)
  assert.deepEqual(present(now.certificates), [
    'plc pending under_1d 1',
    'device pending under_14d 1',
    'device active under_14d 1',
    'server active under_30d 1',
  ])
  assert.deepEqual(Object.fromEntries(now.identities), { pending: 0, active: 4, disabled: 1, retired: 0 })

  hub.clock.advance(9.5 * 86_400_000)
  assert.deepEqual(present((await countRegistry(hub)).certificates), [
    'plc pending expired 1',
    'device pending under_1d 1',
    'device active under_1d 1',
    'server active under_30d 1',
  ])
  hub.clock.advance(86_400_000)
  assert.deepEqual(present((await countRegistry(hub)).certificates), [
    'plc pending expired 1',
    'device pending expired 1',
    'device active expired 1',
    'server active under_30d 1',
  ])
})

test('a follower that stands still shows how many events wait for it and since when', async (t) => {
  const hub = await hubParts(t)
  const start = await hub.store.events.last()
  let position = start
  const follower = { position: () => position, catchUp: async () => {}, stop: () => {} }
  const look = figuresOf(await partsOf(hub, { followers: { gate: follower } }))
  position = await hub.store.events.last()
  assert.deepEqual((await look()).followers, [{ name: 'gate', unhandled: 0, oldestUnhandledMs: 0 }])
  await registered(hub, 'pump-7')
  hub.clock.advance(4_000)
  await registered(hub, 'pump-8')
  hub.clock.advance(1_000)
  const waiting = (await hub.store.events.last()) - position
  const { followers, revocationsWaitingMs } = await look()
  assert.deepEqual(followers, [{ name: 'gate', unhandled: waiting, oldestUnhandledMs: 5_000 }])
  assert.equal(revocationsWaitingMs.get('gate'), 5_000)
})

test('a look tells the broker, authorities, CRLs and revocations that wait for one', async (t) => {
  const hub = await hubParts(t)
  const dates = { thisUpdateMs: noonMs, nextUpdateMs: noonMs + 1_000 }
  const crls = {
    datesOf: (id: string) => (id === hub.issuing.id ? dates : null),
    oldestOwedMs: () => noonMs - 2_500,
  }
  const look = figuresOf(await partsOf(hub, { crls }))
  const figures = await look()
  assert.deepEqual(figures.gate, gate)
  assert.deepEqual(figures.broker, { isUp: true, restarts: 7 })
  assert.deepEqual(
    figures.authorities.map(({ id, role, crl }) => [id, role, crl]),
    [
      [hub.authorities.root().id, 'root', null],
      [hub.issuing.id, 'issuing', dates],
    ],
  )
  assert.equal(figures.revocationsWaitingMs.get('crl'), 2_500)
  assert.equal(figures.serverNotAfterSec, noonMs / 1000 + 30 * 86_400 - 1)
})

test('without its registry a hub still tells everything else', async (t) => {
  const hub = await hubParts(t)
  const broken = new Proxy(hub.store, {
    get: (store, name) =>
      name === 'health' ? store.health : new Proxy({}, { get: () => () => Promise.reject(new Error('gone')) }),
  }) as Store
  const {
    followers,
    counts,
    incidents,
    revocationsWaitingMs,
    gate: seen,
  } = await figuresOf(await partsOf(hub, { store: broken }))()
  assert.deepEqual(
    [followers, counts, incidents, revocationsWaitingMs.get('gate'), seen],
    [null, null, null, null, gate],
  )
})

test('incidents are told by listener and cause, with issuers that strangers may have written added up', async (t) => {
  const hub = await hubParts(t)
  await hub.store.write((tx) =>
    tx.cases.addAll(
      ['CN=a', 'CN=b'].flatMap((issuer) =>
        [1, 2, 3, 4, 5].map((n) => ({ ...fakeRefusals(`${issuer}-${n}`, { lastAtMs: noonMs }), issuer })),
      ),
    ),
  )
  await noteIncidents(hub)
  assert.equal((await hub.store.incidents.standing()).length, 2)
  const { incidents } = await figuresOf(await partsOf(hub))()
  assert.deepEqual(incidents, [{ listener: 'mqtts', code: 'certificate-expired', parties: 10 }])
})

test('however often a hub is looked at, its registry is counted once in a minute', async (t) => {
  const hub = await hubParts(t)
  let counted = 0
  const counts = {
    ...hub.store.counts,
    identitiesIn: async () => {
      counted += 1
      return 0
    },
  }
  const look = figuresOf(await partsOf(hub, { store: { ...hub.store, counts } }))
  for (let i = 0; i < 5; i++) await look()
  assert.equal(counted, 4, 'once for each state')
  hub.clock.advance(limits.countsKeptMs)
  await look()
  assert.equal(counted, 8)
})
