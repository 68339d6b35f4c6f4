import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readFileSync, readSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pointDurably, targetOf } from '../../src/disk/durable-link.ts'
import { eraseDurably } from '../../src/disk/erase.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('of a file that is erased nothing is left, not even for who has it open', (t) => {
  const path = join(temporaryFolder(t), 'key')
  writeFileSync(path, 'secret'.repeat(2_000))
  const file = openSync(path, 'r')
  eraseDurably(path)
  const content = Buffer.alloc(20_000)
  assert.equal(readSync(file, content), 12_000)
  closeSync(file)
  assert.deepEqual(content, Buffer.alloc(20_000))
  assert.ok(!existsSync(path))
  eraseDurably(path)
})

test('erasing a link leaves what it points to', (t) => {
  const [file, link] = ['file', 'link'].map((name) => join(temporaryFolder(t), name)) as [string, string]
  writeFileSync(file, 'kept')
  symlinkSync(file, link)
  eraseDurably(link)
  assert.ok(!existsSync(link))
  assert.equal(readFileSync(file, 'utf8'), 'kept')
})

test('a link points elsewhere from one moment to the next, and takes the place of a file', (t) => {
  const path = join(temporaryFolder(t), 'current')
  assert.equal(targetOf(path), null)
  writeFileSync(path, '')
  assert.equal(targetOf(path), null)
  pointDurably(path, 'slots/1')
  pointDurably(path, 'slots/2')
  assert.equal(targetOf(path), 'slots/2')
})
