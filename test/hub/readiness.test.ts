/** Readiness: what is in the way of a hub's work, named by its failure. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HubError } from '../../src/core/errors.ts'
import type { FailureName } from '../../src/core/failure/catalogue.ts'
import { limits } from '../../src/core/limits.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { type CheckedParts, Readiness, readinessCodes } from '../../src/hub/readiness.ts'
import { type HubParts, hubParts, noonMs } from '../support/hub-parts.ts'

interface Bed {
  readonly hub: HubParts
  readonly readiness: Readiness
  /** The codes of the reasons, a second after the last look. */
  codes(): Promise<readonly FailureName[]>
}

async function bed(t: { after(step: () => unknown): void }, change: Partial<CheckedParts> = {}): Promise<Bed> {
  const hub = await hubParts(t)
  const readiness = new Readiness(hub.clock, hub.log)
  const parts: CheckedParts = {
    store: hub.store,
    journal: { isJournaling: () => true },
    authorities: hub.authorities,
    broker: { isAvailable: () => true },
    crls: { datesOf: () => ({ thisUpdateMs: noonMs, nextUpdateMs: noonMs + 72 * 3_600_000 }) },
    serverCertificate: { inUse: () => ({ ...certificate, notAfterSec: noonMs / 1000 + 30 * 86_400 }) },
    ...change,
  }
  readiness.serve(parts)
  const codes = async (): Promise<readonly FailureName[]> => {
    hub.clock.advance(limits.answerKeptMs)
    return (await readiness.judge()).reasons.map(({ code }) => code)
  }
  return { hub, readiness, codes }
}

const certificate = { chain: '', renewAtSec: 0 } as unknown as ReturnType<CheckedParts['serverCertificate']['inUse']>

test('a hub whose parts all work is ready', async (t) => {
  const { readiness } = await bed(t)
  assert.deepEqual(await readiness.judge(), { isReady: true, reasons: [] })
})

test('a hub is not ready before it serves, and not from the moment it is told to stop', async (t) => {
  const hub = await hubParts(t)
  const starting = new Readiness(hub.clock, hub.log)
  assert.deepEqual(
    (await starting.judge()).reasons.map(({ code }) => code),
    ['hub-starting'],
  )
  const { readiness, codes } = await bed(t, { broker: { isAvailable: () => false } })
  readiness.stop()
  assert.deepEqual(await codes(), ['hub-stopping'])
  assert.equal((await readiness.judge()).isReady, false)
})

test('a broker, a journal, a CRL and a certificate that fail are each a reason of their own', async (t) => {
  const { hub, codes } = await bed(t, {
    broker: { isAvailable: () => false },
    journal: { isJournaling: () => false },
  })
  assert.deepEqual(await codes(), ['journal-unavailable', 'upstream-unavailable'])
  hub.clock.advance(72 * 3_600_000)
  assert.deepEqual(await codes(), ['journal-unavailable', 'upstream-unavailable', 'crl-outdated', 'crl-outdated'])
  hub.clock.advance(30 * 86_400_000)
  assert.ok((await codes()).includes('server-certificate-expired'))
  hub.clock.advance(20 * 366 * 86_400_000)
  assert.equal((await codes()).filter((code) => code === 'authority-expired').length, 2)
})

test('an authority without a CRL is named', async (t) => {
  const { hub, readiness } = await bed(t, { crls: { datesOf: () => null } })
  const { reasons } = await readiness.judge()
  assert.deepEqual(
    reasons.map(({ code, sentence }) => `${code}: ${sentence}`),
    [hub.authorities.root(), hub.issuing].map(({ id }) => `crl-outdated: ${id} has no CRL yet`),
  )
})

test('a registry that has refused a write is tried again by the hub itself, and ready once it takes one', async (t) => {
  const state = { isWriting: false, trials: 0 }
  const fake = {
    events: { last: async () => 1 },
    health: () => ({ unitsWaiting: 0, isWriting: state.isWriting }),
    write: async () => {
      state.trials += 1
      if (state.trials === 2) state.isWriting = true
      else throw new HubError('store-unavailable', 'the database refused a transaction')
    },
  } as unknown as Store
  const { hub, codes } = await bed(t, { store: fake })
  assert.deepEqual(await codes(), ['store-unavailable'])
  for (let i = 0; i < 3; i++) assert.deepEqual(await codes(), ['store-unavailable'])
  assert.equal(state.trials, 1, 'probes do not write at their own pace')
  hub.clock.advance(5_000)
  assert.deepEqual(await codes(), ['store-unavailable'])
  assert.deepEqual(await codes(), [])
  assert.deepEqual(
    hub.log.lines.map(({ message }) => message),
    ['the hub is not ready', 'the hub is ready again'],
  )
})

test('a registry that cannot be read, or whose writes pile up, is a reason', async (t) => {
  const unreadable = { events: { last: () => Promise.reject(new Error('gone')) } } as unknown as Store
  assert.deepEqual(await (await bed(t, { store: unreadable })).codes(), ['store-unavailable'])
  const full = {
    events: { last: async () => 1 },
    health: () => ({ unitsWaiting: limits.transactionsWaitingMax, isWriting: true }),
  } as unknown as Store
  assert.deepEqual(await (await bed(t, { store: full })).codes(), ['store-unavailable'])
})

test('however often readiness is asked for, the registry is asked once in a second', async (t) => {
  let reads = 0
  const counted = {
    events: { last: async () => ++reads },
    health: () => ({ unitsWaiting: 0, isWriting: true }),
  } as unknown as Store
  const { hub, readiness } = await bed(t, { store: counted })
  await Promise.all(Array.from({ length: 50 }, () => readiness.judge()))
  assert.equal(reads, 1)
  hub.clock.advance(limits.answerKeptMs)
  await readiness.judge()
  assert.equal(reads, 2)
})

test('every reason that there can be is known to whoever counts them', async (t) => {
  const known: readonly string[] = readinessCodes
  const { hub, codes } = await bed(t, { crls: { datesOf: () => null }, broker: { isAvailable: () => false } })
  hub.clock.advance(30 * 366 * 86_400_000)
  for (const code of await codes()) assert.ok(known.includes(code), code)
})
