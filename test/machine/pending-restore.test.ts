/** A restore that was decided is gone through with, wherever it was interrupted; one that was not leaves nothing. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type DataDirectory, dataDirectoryAt } from '../../src/machine/data-directory.ts'
import { finishRestore, stagingFolder, takePlace } from '../../src/machine/pending-restore.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const asideName = 'replaced-2026-11-21T12-00-00-000Z'

/** A data directory with an old registry, and a new one that is staged. */
function staged(t: TestContext, isTaken = true): DataDirectory {
  const directory = dataDirectoryAt(temporaryFolder(t))
  if (isTaken) {
    mkdirSync(directory.keys)
    writeFileSync(directory.database, 'old')
    writeFileSync(`${directory.database}-wal`, 'old log')
    writeFileSync(join(directory.keys, 'kek.json'), 'old')
  }
  mkdirSync(join(stagingFolder(directory), 'keys'), { recursive: true })
  writeFileSync(join(stagingFolder(directory), 'handfast.db'), 'new')
  writeFileSync(join(stagingFolder(directory), 'keys', 'kek.json'), 'new')
  return directory
}

function assertNew(directory: DataDirectory): void {
  assert.equal(readFileSync(directory.database, 'utf8'), 'new')
  assert.equal(readFileSync(join(directory.keys, 'kek.json'), 'utf8'), 'new')
  for (const gone of [`${directory.database}-wal`, stagingFolder(directory), directory.restoreMark]) {
    assert.ok(!existsSync(gone), gone)
  }
}

test('a restored registry takes the place of the one before, which is kept aside whole', async (t) => {
  const directory = staged(t)
  const aside = await takePlace(directory, asideName)
  assertNew(directory)
  assert.equal(aside, join(directory.path, asideName))
  assert.deepEqual(readdirSync(aside ?? '').sort(), ['handfast.db', 'handfast.db-wal', 'keys'])
})

test('into an empty directory nothing is kept aside', async (t) => {
  const directory = staged(t, false)
  assert.equal(await takePlace(directory, asideName), null)
  assertNew(directory)
})

test('what was staged and not decided is removed, and what was there stays', async (t) => {
  const directory = staged(t)
  assert.equal(await finishRestore(directory), null)
  assert.equal(readFileSync(directory.database, 'utf8'), 'old')
  assert.equal(readFileSync(`${directory.database}-wal`, 'utf8'), 'old log')
  assert.ok(!existsSync(stagingFolder(directory)))
})

test('wherever it is interrupted, the next start goes through with it', async (t) => {
  const { path } = dataDirectoryAt('')
  assert.equal(path, '')
  const moves: ((directory: DataDirectory) => void)[] = [
    (directory) => mkdirSync(join(directory.path, asideName)),
    (directory) => renameSync(`${directory.database}-wal`, join(directory.path, asideName, 'handfast.db-wal')),
    (directory) => renameSync(directory.database, join(directory.path, asideName, 'handfast.db')),
    (directory) => renameSync(join(stagingFolder(directory), 'handfast.db'), directory.database),
    (directory) => renameSync(directory.keys, join(directory.path, asideName, 'keys')),
    (directory) => renameSync(join(stagingFolder(directory), 'keys'), directory.keys),
  ]
  for (let done = 0; done <= moves.length; done++) {
    const directory = staged(t)
    writeFileSync(directory.restoreMark, JSON.stringify({ aside: asideName }))
    for (const move of moves.slice(0, done)) move(directory)
    assert.equal(await finishRestore(directory), join(directory.path, asideName), `after ${done} moves`)
    assertNew(directory)
    assert.equal(readFileSync(join(directory.path, asideName, 'handfast.db'), 'utf8'), 'old')
    assert.equal(await finishRestore(directory), null)
    assertNew(directory)
  }
})

test('a mark that says nothing is refused and changes nothing', async (t) => {
  for (const text of ['', '{}', '{"aside":"../../etc"}']) {
    const directory = staged(t)
    writeFileSync(directory.restoreMark, text)
    await assert.rejects(finishRestore(directory), { code: 'data-directory-unusable' })
    assert.equal(readFileSync(directory.database, 'utf8'), 'old')
  }
})
