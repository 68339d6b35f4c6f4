/** The journal's process is killed, or its disk fails, at every write and every sync in turn: nothing acknowledged is lost. */
// needs: strace
// one database: the journal is a file of its own
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JournalEntry } from '../../src/hub/ports/journal.ts'
import { openJournal } from '../../src/journal/file-journal.ts'
import { journalFolder } from '../../src/journal/journal-files.ts'
import { fakeEntries } from '../journal/fake-entries.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const program = join(import.meta.dirname, '../journal/writer-process.ts')
const entries = 9

/** Runs the writer under strace. @param injection as strace's -e inject= takes it, or null */
function write(folder: string, injection: string | null) {
  const calls = 'trace=fdatasync,fsync,pwrite64'
  const tracing = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    calls,
    ...(injection === null ? [] : ['-e', `inject=${injection}`]),
  ]
  const { stdout, signal, status } = spawnSync(
    'strace',
    [...tracing, process.execPath, program, folder, `${entries}`],
    {
      encoding: 'utf8',
      timeout: 30_000,
      // strace counts the calls of each thread by itself.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    },
  )
  return { acknowledged: Number(stdout.trimEnd().split('\n').at(-1) ?? 0), wasKilled: signal === 'SIGKILL', status }
}

/** What the journal holds; it must be the first entries, in order. */
async function held(folder: string): Promise<readonly JournalEntry[]> {
  const files = await journalFolder(folder)
  const journal = await openJournal({ files, clock: { nowMs: () => 1_000 }, keptMs: 86_400_000 })
  const found: JournalEntry[] = []
  for await (const group of journal?.after(0) ?? []) found.push(...group.map(({ entry }) => entry))
  await journal?.close()
  assert.deepEqual(found, fakeEntries(1, found.length))
  return found
}

for (const call of ['pwrite64', 'fdatasync', 'fsync']) {
  test(`killed at each ${call} in turn`, async (t) => {
    let when = 1
    for (; ; when++) {
      const folder = join(temporaryFolder(t), 'journal')
      const { acknowledged, wasKilled } = write(folder, `${call}:signal=SIGKILL:when=${when}`)
      const found = await held(folder)
      assert.ok(
        found.length >= acknowledged,
        `at ${when}: ${acknowledged} were acknowledged, ${found.length} are there`,
      )
      // The next process goes on where this one ended.
      assert.ok(write(folder, null).acknowledged >= entries || found.length >= entries)
      assert.ok((await held(folder)).length >= entries)
      if (!wasKilled) break
    }
    assert.ok(when > 2, 'it was never killed')
  })

  for (const errno of ['EIO', 'ENOSPC']) {
    test(`each ${call} in turn fails once with ${errno}`, async (t) => {
      for (let when = 1; when <= 6; when++) {
        const folder = join(temporaryFolder(t), 'journal')
        const { acknowledged } = write(folder, `${call}:error=${errno}:when=${when}`)
        const found = await held(folder)
        assert.ok(
          found.length >= acknowledged,
          `at ${when}: ${acknowledged} were acknowledged, ${found.length} are there`,
        )
        assert.ok(found.length >= entries, `at ${when}: it went on to ${found.length} alone`)
      }
    })
  }
}
