import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { journalEntries } from '../../src/hub/journal-entries.ts'
import type { Journal, JournalEntry } from '../../src/hub/ports/journal.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { beginJournal, openJournal } from '../../src/journal/file-journal.ts'
import { type JournaledStore, journaled } from '../../src/journal/journaled-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { storeContract } from '../contract/store/store-contract.ts'
import { fakeAttempt, fakeCredential, fakeIdentity } from '../contract/store-fakes.ts'
import { LogBook, StandingClock } from '../support/hub-parts.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { MemoryFiles } from './memory-files.ts'

const clock = new StandingClock(1_700_000_000_000)
const keptMs = 86_400_000

interface Bed {
  readonly inner: Store
  readonly store: JournaledStore
  readonly journal: Journal
  readonly log: LogBook
  /** While true, nothing can be written to the journal. */
  isBroken: boolean
  /** What the journal's files were asked for. */
  readonly operations: string[]
  /** The same journal as another process would open it. */
  reopened(): Promise<Journal>
}

async function bed(t: TestContext): Promise<Bed> {
  const operations: string[] = []
  const state = { isBroken: false }
  const files = new MemoryFiles({
    fails(operation) {
      operations.push(operation)
      return state.isBroken
    },
    share: () => 0.5,
  })
  const inner = await openSqliteStore({ path: join(temporaryFolder(t), 'hub.db'), clock })
  const journal = await beginJournal({ files, clock, keptMs }, { id: 'a', hub: 'b', event: 0 })
  const log = new LogBook()
  const store = journaled(inner, { journal, position: 0, describe: (events) => journalEntries(inner, events), log })
  t.after(() => store.close())
  const reopened = async (): Promise<Journal> => {
    const found = await openJournal({ files, clock, keptMs })
    assert.ok(found !== null)
    return found
  }
  return Object.assign(state, { inner, store, journal, log, operations, reopened })
}

async function entriesOf(journal: Journal): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = []
  for await (const group of journal.after(0)) entries.push(...group.map(({ entry }) => entry))
  return entries
}

function register(store: Store, id: string): Promise<void> {
  const identity = fakeIdentity(id)
  return store.write(async (tx) => {
    await tx.identities.insert(identity)
    await tx.events.append({ type: 'identity-registered', identityId: identity.id })
  })
}

const contractFolder = temporaryFolder({ after })

storeContract('SQLite with a journal', async () => {
  const files = new MemoryFiles()
  const open = async (): Promise<Store> => {
    const inner = await openSqliteStore({ path: join(contractFolder, 'hub.db'), clock })
    const settings = { files, clock, keptMs }
    const journal = (await openJournal(settings)) ?? (await beginJournal(settings, { id: 'a', hub: 'b', event: 0 }))
    const describe = (events: Parameters<typeof journalEntries>[1]) => journalEntries(inner, events)
    return journaled(inner, { journal, position: await inner.events.last(), describe, log: new LogBook() })
  }
  return { store: await open(), reopen: open }
})

test('an act is acknowledged when its events are in the journal, each with what is needed to replay it', async (t) => {
  const { store, journal } = await bed(t)
  const credential = fakeCredential(1, { identityId: fakeIdentity('pump').id })
  await register(store, 'pump')
  await store.write(async (tx) => {
    await tx.credentials.insert(credential)
    await tx.events.append({ type: 'credential-issued', ...idsOf(credential) })
  })
  const [registered, issued] = await entriesOf(journal)
  assert.equal(registered?.identity?.id, 'pump')
  assert.deepEqual(issued?.credential, credential)
  assert.deepEqual(issued?.identity, registered?.identity)
  assert.equal(issued?.number, 2)
})

test('acts that come together share one sync', async (t) => {
  const { store, journal, operations } = await bed(t)
  operations.length = 0
  await Promise.all(Array.from({ length: 50 }, (_, n) => register(store, `pump-${n}`)))
  assert.equal(journal.end, 50)
  assert.ok(operations.filter((each) => each === 'sync').length <= 3, operations.join())
})

test('while the journal cannot be written nothing is acknowledged, and what is done is done', async (t) => {
  const bench = await bed(t)
  await register(bench.store, 'before')
  bench.isBroken = true
  await assert.rejects(register(bench.store, 'pump'), { code: 'journal-unavailable' })
  assert.notEqual(await bench.store.identities.find(fakeIdentity('pump').id), null)
  assert.equal(bench.store.isJournaling(), false)
  assert.equal(bench.journal.end, 1)

  // An act that finds it done already must not be told so before the journal holds it.
  const look = () => bench.store.write((tx) => tx.identities.find(fakeIdentity('pump').id))
  await assert.rejects(look(), { code: 'journal-unavailable' })

  bench.isBroken = false
  assert.notEqual(await look(), null)
  assert.equal(bench.store.isJournaling(), true)
  assert.deepEqual(
    (await entriesOf(bench.journal)).map(({ identity }) => identity?.id),
    ['before', 'pump'],
  )
  assert.deepEqual(
    bench.log.lines.map(({ level }) => level),
    ['error', 'info'],
  )
})

test('attempts and leases are kept although the journal cannot be written', async (t) => {
  const bench = await bed(t)
  bench.isBroken = true
  await assert.rejects(register(bench.store, 'pump'), { code: 'journal-unavailable' })
  await bench.store.write((tx) => tx.attempts.insertAll([fakeAttempt(1)]))
  assert.equal(await bench.store.write((tx) => tx.leases.acquire('work', 'me', 1_000)), true)
})

test('a refusal is told at once and does not wait for the journal', async (t) => {
  const bench = await bed(t)
  await register(bench.store, 'pump')
  bench.isBroken = true
  await assert.rejects(register(bench.store, 'pump'), { code: 'identity-exists' })
})

test('a start on a journal that cannot be written goes on, and relies on nothing in it until it can', async (t) => {
  const bench = await bed(t)
  await register(bench.store, 'before')
  const { inner, journal, log } = bench
  const again = journaled(inner, {
    journal: await bench.reopened(),
    position: journal.highest,
    describe: (events) => journalEntries(inner, events),
    log,
  })
  bench.isBroken = true
  await assert.rejects(again.settled(), { code: 'journal-unavailable' })
  await again.write((tx) => tx.attempts.insertAll([fakeAttempt(1)]))
  // What it finds done may not be on disk.
  await assert.rejects(
    again.write((tx) => tx.identities.find(fakeIdentity('before').id)),
    { code: 'journal-unavailable' },
  )
  bench.isBroken = false
  assert.notEqual(await again.write((tx) => tx.identities.find(fakeIdentity('before').id)), null)
})

test('what was committed behind its back, as by another process, is copied without being asked for', async (t) => {
  const { inner, journal, store } = await bed(t)
  await register(inner, 'elsewhere')
  await store.settled()
  assert.equal(journal.end, 1)
})

test('closing copies what was committed last', async (t) => {
  const { store, journal } = await bed(t)
  const last = register(store, 'last')
  await store.close()
  await last
  assert.equal(journal.end, 1)
  await assert.rejects(register(store, 'late'), { code: 'store-unavailable' })
})

function idsOf({ identityId, fingerprint, serialNumber }: ReturnType<typeof fakeCredential>) {
  return { identityId, fingerprint, serialNumber }
}
