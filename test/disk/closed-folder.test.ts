import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { closeFolder, SharedFolder } from '../../src/disk/closed-folder.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const isOurs = (name: string): boolean => name === 'ours'
const modeOf = (path: string): number => statSync(path).mode & 0o777

test('a folder is made closed, and closed where it was open and is empty or ours', (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'a', 'b')
  assert.equal(closeFolder(path, isOurs), false)
  assert.equal(modeOf(path), 0o700)
  for (const names of [[], ['lost+found'], ['ours', 'other']]) {
    for (const name of names) writeFileSync(join(path, name), '')
    chmodSync(path, 0o755)
    assert.equal(closeFolder(path, isOurs), true)
    assert.equal(modeOf(path), 0o700)
  }
})

test('a file, and a folder of others, keep their modes', (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, '', { mode: 0o644 })
  assert.throws(() => closeFolder(file, isOurs), { code: 'ENOTDIR' })
  assert.equal(modeOf(file), 0o644)
  const theirs = join(folder, 'theirs')
  mkdirSync(theirs)
  chmodSync(theirs, 0o755)
  writeFileSync(join(theirs, 'passwd'), '')
  assert.throws(() => closeFolder(theirs, isOurs), SharedFolder)
  assert.equal(modeOf(theirs), 0o755)
  // Closed already, it is nobody else's business.
  chmodSync(theirs, 0o700)
  assert.equal(closeFolder(theirs, isOurs), false)
})
