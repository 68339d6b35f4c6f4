import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSmallBytes } from '../../src/cli/whole-file.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('a file as long as is allowed is read whole, and a longer one is refused', (t) => {
  const file = join(temporaryFolder(t), 'file')
  writeFileSync(file, 'x'.repeat(100_000))
  assert.equal(readSmallBytes(file, 100_000).length, 100_000)
  assert.throws(() => readSmallBytes(file, 99_999), { code: 'usage', message: /longer than 99999 bytes/ })
  writeFileSync(file, '')
  assert.equal(readSmallBytes(file, 10).length, 0)
})

test('what has no size and no end is refused as soon as it is too long', () => {
  assert.throws(() => readSmallBytes('/dev/zero', 1_000), { code: 'usage', message: /longer than 1000 bytes/ })
})

test('a folder and a file that is not there are named', (t) => {
  const folder = temporaryFolder(t)
  assert.throws(() => readSmallBytes(folder, 10), { code: 'usage', message: /it is a folder/ })
  assert.throws(() => readSmallBytes(join(folder, 'no'), 10), { code: 'usage', message: /there is no such file/ })
})
