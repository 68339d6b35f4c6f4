import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { journalFolder } from '../../src/journal/journal-files.ts'
import { beginKeptJournal, findKeptJournal, type KeptJournalOptions } from '../../src/journal/kept-journal.ts'
import { StandingClock } from '../support/hub-parts.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { fakeEntries } from './fake-entries.ts'

const hub = 'cd'.repeat(32)
const begun = { id: 'ab'.repeat(16), hub, event: 0 }

async function options(t: TestContext, folder = temporaryFolder(t)): Promise<KeptJournalOptions & { folder: string }> {
  return {
    folder,
    files: await journalFolder(join(folder, 'journal')),
    clock: new StandingClock(1_000),
    keptMs: 1_000,
    mark: join(folder, 'journal.json'),
  }
}

test('a hub that never had a journal has none, and finds the one that it began, on a real disk', async (t) => {
  const settings = await options(t)
  assert.equal(await findKeptJournal(settings, hub), null)
  const journal = await beginKeptJournal(settings, begun)
  await journal.append(fakeEntries(1, 3))
  await journal.append(fakeEntries(4, 1))
  await journal.close()
  const found = await findKeptJournal(settings, hub)
  assert.equal(found?.end, 4)
  for await (const group of found?.after(3) ?? []) {
    assert.deepEqual(
      group.map(({ entry }) => entry),
      fakeEntries(4, 1),
    )
  }
})

test('a journal that is gone is missed, and the message says where it was', async (t) => {
  const settings = await options(t)
  await beginKeptJournal(settings, begun)
  rmSync(join(settings.folder, 'journal', '00000001.journal'))
  await assert.rejects(findKeptJournal(settings, hub), { code: 'journal-missing' })
  const elsewhere = { ...settings, files: await journalFolder(join(settings.folder, 'other')) }
  await assert.rejects(findKeptJournal(elsewhere, hub), { code: 'journal-missing', message: /journal"$/ })
})

test('the journal of another hub is refused, and so is any when the registry is new', async (t) => {
  const settings = await options(t)
  await beginKeptJournal(settings, begun)
  await assert.rejects(findKeptJournal(settings, 'ee'.repeat(32)), { code: 'journal-foreign' })
  await assert.rejects(findKeptJournal(settings, null), { code: 'journal-foreign' })
})

test('a journal of this hub is taken where no mark says another, and missed where one does', async (t) => {
  const settings = await options(t)
  await beginKeptJournal(settings, begun)
  const mark = readFileSync(settings.mark, 'utf8')
  rmSync(settings.mark)
  assert.equal((await findKeptJournal(settings, hub))?.id, begun.id)
  assert.equal(readFileSync(settings.mark, 'utf8'), mark)
  writeFileSync(settings.mark, mark.replace(begun.id, 'ff'.repeat(16)))
  await assert.rejects(findKeptJournal(settings, hub), { code: 'journal-missing' })
  writeFileSync(settings.mark, 'nonsense')
  await assert.rejects(findKeptJournal(settings, hub), { code: 'data-directory-unusable' })
})
