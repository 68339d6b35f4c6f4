/**
 * Appends entries to the journal in a folder, and prints the place of the last one after each group that was acknowledged. A
 * group that was not is tried again.
 *
 *     node writer-process.ts <folder> <entries>
 */
import type { Journal } from '../../src/hub/ports/journal.ts'
import { beginJournal, openJournal } from '../../src/journal/file-journal.ts'
import { journalFolder } from '../../src/journal/journal-files.ts'
import { fakeEntries } from './fake-entries.ts'

const [folder = '', count = '0'] = process.argv.slice(2)
const options = {
  files: await journalFolder(folder),
  clock: { nowMs: () => 1_000 },
  keptMs: 86_400_000,
  segmentBytesMax: 2_500,
}

/** Begun again where the first try failed, as by the next start of a hub. */
async function opened(): Promise<Journal> {
  try {
    return (await openJournal(options)) ?? (await begun())
  } catch {
    return (await openJournal(options)) ?? begun()
  }
}

function begun(): Promise<Journal> {
  return beginJournal(options, { id: 'a', hub: 'b', event: 0 })
}

const journal = await opened()
for (let failures = 0; journal.end < Number(count) && failures < 3; ) {
  try {
    await journal.append(fakeEntries(journal.end + 1, 1 + (journal.end % 3)))
    process.stdout.write(`${journal.end}\n`)
  } catch {
    failures += 1
  }
}
await journal.close()
