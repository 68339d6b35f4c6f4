import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeDurably, writeNewDurably } from '../../src/disk/durable-file.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('a durable file replaces the one before, has its mode in spite of the umask, and leaves nothing beside it', (context) => {
  const folder = temporaryFolder(context)
  const path = join(folder, 'ca.pem')
  writeDurably(path, 'one', 0o600)
  writeDurably(path, 'two', 0o666)
  assert.equal(readFileSync(path, 'utf8'), 'two')
  assert.equal(statSync(path).mode & 0o777, 0o666)
  assert.deepEqual(readdirSync(folder), ['ca.pem'])
})

test('a new durable file never replaces one that is there, and leaves nothing beside it', (context) => {
  const folder = temporaryFolder(context)
  const path = join(folder, 'key')
  writeNewDurably(path, 'one', 0o600)
  assert.throws(() => writeNewDurably(path, 'two', 0o600), { code: 'EEXIST' })
  assert.equal(readFileSync(path, 'utf8'), 'one')
  assert.deepEqual(readdirSync(folder), ['key'])
})
