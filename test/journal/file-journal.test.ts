import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HubError } from '../../src/core/errors.ts'
import { limits } from '../../src/core/limits.ts'
import type { Journal, JournalEntry } from '../../src/hub/ports/journal.ts'
import { beginJournal, type JournalOptions, openJournal } from '../../src/journal/file-journal.ts'
import { StandingClock } from '../support/hub-parts.ts'
import { fakeEntries } from './fake-entries.ts'
import { type Fate, MemoryFiles } from './memory-files.ts'

const dayMs = 86_400_000
const begun = { id: 'ab'.repeat(16), hub: 'cd'.repeat(32), event: 0 }

function options(files: MemoryFiles, change: Partial<JournalOptions> = {}): JournalOptions {
  return { files, clock: new StandingClock(1_000), keptMs: 90 * dayMs, segmentBytesMax: 3_000, ...change }
}

async function entriesOf(journal: Journal, after = 0): Promise<readonly JournalEntry[]> {
  const entries: JournalEntry[] = []
  let expected = Math.max(after, journal.start.place)
  for await (const group of journal.after(after)) {
    for (const { place, entry } of group) {
      assert.equal(place, ++expected)
      entries.push(entry)
    }
  }
  return entries
}

async function reopened(settings: JournalOptions): Promise<Journal> {
  const journal = await openJournal(settings)
  assert.ok(journal !== null)
  return journal
}

test('a folder without a journal has none, and one that was begun is found with its id, hub and beginning', async () => {
  const settings = options(new MemoryFiles())
  assert.equal(await openJournal(settings), null)
  await beginJournal(settings, { ...begun, event: 41 })
  const journal = await reopened(settings)
  assert.deepEqual(
    [journal.id, journal.hub, journal.start, journal.end],
    [begun.id, begun.hub, { place: 0, event: 41 }, 0],
  )
})

test('entries are there after each opening, over segments, from any place and backwards', async () => {
  const settings = options(new MemoryFiles())
  await beginJournal(settings, begun)
  const all: JournalEntry[] = []
  for (let round = 0; round < 12; round++) {
    const journal = await reopened(settings)
    const group = fakeEntries(all.length + 1, 1 + (round % 4))
    await journal.append(group)
    all.push(...group)
    await journal.close()
  }
  const journal = await reopened(settings)
  assert.ok((await settings.files.list()).length > 4)
  assert.equal(journal.end, all.length)
  for (const place of [0, 1, 5, all.length - 1, all.length]) {
    assert.deepEqual(await entriesOf(journal, place), all.slice(place))
  }
  const backwards = []
  for await (const { entry } of journal.newestFirst()) backwards.push(entry)
  assert.deepEqual(backwards, all.toReversed())
})

test('full segments go when they are old, and the journal says where it begins since', async () => {
  const clock = new StandingClock(1_000)
  const settings = options(new MemoryFiles(), { clock })
  const journal = await beginJournal(settings, begun)
  for (let n = 1; n <= 40; n++) {
    await journal.append(fakeEntries(n, 1))
    clock.advance(5 * dayMs)
  }
  const { start } = journal
  assert.ok(start.place > 0 && start.event === start.place)
  assert.deepEqual((await entriesOf(journal)).map(({ number }) => number).at(0), start.event + 1)
  const again = await reopened(settings)
  assert.deepEqual(again.start, start)
  assert.deepEqual(await entriesOf(again), fakeEntries(start.event + 1, 40 - start.event))
  const oldest = (await entriesOf(again)).length
  assert.ok(oldest >= 18, 'nothing goes that is younger than it is kept')
})

test('a segment that is missing, damaged or of another journal is refused by its name', async () => {
  const make = async () => {
    const files = new MemoryFiles()
    const journal = await beginJournal(options(files), begun)
    for (let n = 1; n <= 12; n++) await journal.append(fakeEntries(n, 1))
    return files
  }
  const missing = await make()
  await missing.remove('00000002.journal')
  await assert.rejects(openJournal(options(missing)), { code: 'journal-damaged', message: /00000002/ })

  const changed = await make()
  changed.damage('00000002.journal', 1_500)
  const journal = await reopened(options(changed))
  await assert.rejects(entriesOf(journal), { code: 'journal-damaged', message: /00000002/ })
  assert.ok((await entriesOf(journal, journal.end - 1)).length === 1, 'what is whole can be read')

  const mixed = await make()
  const strange = new MemoryFiles()
  const other = await beginJournal(options(strange), { ...begun, id: 'ee'.repeat(16) })
  await other.append(fakeEntries(1, 1))
  mixed.put('00000001.journal', await strange.read('00000001.journal'))
  await assert.rejects(openJournal(options(mixed)), { code: 'journal-damaged' })
})

test('a segment exchanged for an older copy of itself is found where the next one goes on', async () => {
  const files = new MemoryFiles()
  const journal = await beginJournal(options(files), begun)
  await journal.append(fakeEntries(1, 1))
  const old = await files.read('00000001.journal')
  for (let n = 2; n <= 12; n++) await journal.append(fakeEntries(n, 1))
  files.put('00000001.journal', old)
  await assert.rejects(entriesOf(await reopened(options(files))), { code: 'journal-damaged', message: /00000002/ })
})

test('opening changes nothing, although the last line is cut, and the next append removes the rest of it', async () => {
  const files = new MemoryFiles()
  const journal = await beginJournal(options(files), begun)
  await journal.append(fakeEntries(1, 1))
  await journal.append(fakeEntries(2, 1))
  const whole = await files.read('00000001.journal')
  const cut = whole.subarray(0, whole.length - 3)
  files.put('00000001.journal', cut)
  const found = await reopened(options(files))
  assert.equal(found.end, 1)
  assert.deepEqual(await files.read('00000001.journal'), Buffer.from(cut))
  await found.append([])
  assert.equal((await files.read('00000001.journal')).length < cut.length, true)
  await found.append(fakeEntries(2, 1))
  assert.deepEqual(await files.read('00000001.journal'), whole)
})

test('a group that could not be written is not in the journal, and the next one is', async () => {
  let isFull = false
  const files = new MemoryFiles({ fails: (operation) => isFull && operation === 'write', share: () => 0.5 })
  const journal = await beginJournal(options(files), begun)
  await journal.append(fakeEntries(1, 2))
  isFull = true
  await assert.rejects(journal.append(fakeEntries(3, 1)), { code: 'journal-unavailable' })
  await assert.rejects(journal.append(fakeEntries(3, 1)), { code: 'journal-unavailable' })
  assert.equal(journal.end, 2)
  isFull = false
  await journal.append(fakeEntries(3, 2))
  assert.deepEqual(await entriesOf(await reopened(options(files))), fakeEntries(1, 4))
})

test('more entries than one group may hold are a mistake of ours', async () => {
  const journal = await beginJournal(options(new MemoryFiles()), begun)
  await assert.rejects(journal.append(fakeEntries(1, limits.journalGroupMax + 1)), { name: 'CodingError' })
})

test('whatever fails, and whenever power or process end, what was acknowledged stays and what comes back is in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.nat(999)), async (stream) => {
      const draws = stream[Symbol.iterator]()
      const draw = (): number => draws.next().value / 1_000
      const fate: Fate = { fails: () => draw() < 0.06, share: draw }
      let files = new MemoryFiles(fate)
      let journal: Journal | null = null
      let acknowledged = 0
      for (let step = 0; step < 40; step++) {
        try {
          journal ??= (await openJournal(options(files))) ?? (await beginJournal(options(files), begun))
          const known = await entriesOf(journal)
          assert.deepEqual(known, fakeEntries(1, known.length))
          assert.ok(known.length >= acknowledged, `${acknowledged} were acknowledged and ${known.length} are there`)
          for (let group = 0; group < 3; group++) {
            const size = 1 + Math.floor(draw() * 3)
            await journal.append(fakeEntries(journal.end + 1, size))
            acknowledged = journal.end
          }
        } catch (error) {
          if (!(error instanceof HubError && error.code === 'journal-unavailable')) throw error
        }
        const what = draw()
        if (what > 0.5) continue
        await journal?.close()
        journal = null
        if (what < 0.2) files = files.afterPowerCut(fate)
        else if (what < 0.4) files = files.afterKill(fate)
      }
    }),
    { numRuns: 60 },
  )
})
