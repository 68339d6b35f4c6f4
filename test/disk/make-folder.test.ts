import assert from 'node:assert/strict'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from '../../src/disk/make-folder.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('every missing level is made with the mode, and what is there is left as it is', (context) => {
  const folder = temporaryFolder(context)
  makeFolder(join(folder, 'a/b/c'), 0o700)
  for (const part of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(folder, part)).mode & 0o777, 0o700)
  makeFolder(join(folder, 'a/b/c'), 0o755)
  assert.equal(statSync(join(folder, 'a/b/c')).mode & 0o777, 0o700)
})

test('below a file, and where no folders can be made, the error of the file system comes at once', (context) => {
  const folder = temporaryFolder(context)
  writeFileSync(join(folder, 'file'), '')
  assert.throws(() => makeFolder(join(folder, 'file/a'), 0o700), { code: 'ENOTDIR' })
  if (existsSync('/proc/self')) assert.throws(() => makeFolder('/proc/handfast/a', 0o700), { code: 'ENOENT' })
})
