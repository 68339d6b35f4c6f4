/** The folder of a device's files is whole or absent, and nobody else's is touched. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { KitFile } from '../../../src/cli/device-files/credential-files.ts'
import {
  assertFolder,
  prepareUnfinished,
  removeUnfinished,
  writeFolder,
} from '../../../src/cli/device-files/write-folder.ts'
import { HubError } from '../../../src/core/errors.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const title = '# pump-7 on Node.js'

function file(name: string, data: string, mode: 0o600 | 0o644 = 0o644): KitFile {
  return { name, what: name, data, mode }
}

const kit = {
  credential: [file('private_key.pem', 'key', 0o600), file('main/ca.pem', 'roots'), file('README.md', `${title}\nnew`)],
  examples: [file('client.mjs', 'example')],
}

function isRefusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof HubError && error.code === code
}

test('a folder is put in place whole, for its owner alone, and nothing is left beside it', (t) => {
  const folder = temporaryFolder(t)
  const out = join(folder, 'pump-7')
  const paths = writeFolder(out, kit)
  removeUnfinished(out)
  assert.deepEqual(
    paths.map((path) => readFileSync(path, 'utf8')),
    ['key', 'roots', `${title}\nnew`, 'example'],
  )
  assert.equal(statSync(out).mode & 0o777, 0o700)
  assert.equal(statSync(join(out, 'main')).mode & 0o777, 0o700)
  assert.equal(statSync(join(out, 'private_key.pem')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(folder), ['pump-7'])
})

test('what a run has left that was cut off is made anew', (t) => {
  const out = join(temporaryFolder(t), 'pump-7')
  const half = join(prepareUnfinished(out), 'folder')
  mkdirSync(half)
  writeFileSync(join(half, 'private_key.pem'), 'an older key', { mode: 0o600 })
  writeFileSync(join(half, 'stray'), '')
  writeFolder(out, kit)
  assert.equal(readFileSync(join(out, 'private_key.pem'), 'utf8'), 'key')
  assert.ok(!existsSync(join(out, 'stray')))
})

test('an empty folder is filled, and one with files is refused', (t) => {
  const out = join(temporaryFolder(t), 'pump-7')
  mkdirSync(out)
  assertFolder(out, title, false)
  writeFolder(out, kit)
  assert.throws(() => assertFolder(out, title, false), isRefusal('files-exist'))
  assertFolder(out, title, true)
})

test('a folder that was made for another device or by somebody else is not replaced, whatever is asked', (t) => {
  const out = join(temporaryFolder(t), 'pump-7')
  mkdirSync(out)
  writeFileSync(join(out, 'private_key.pem'), 'the only copy')
  assert.throws(() => assertFolder(out, title, true), isRefusal('files-exist'))
  writeFileSync(join(out, 'README.md'), '# pump-8 on Node.js\n')
  assert.throws(() => assertFolder(out, title, true), isRefusal('files-exist'))
})

test('another credential leaves the examples as a person has made them, and brings back those that are gone', (t) => {
  const out = join(temporaryFolder(t), 'pump-7')
  writeFolder(out, { ...kit, examples: [file('client.mjs', 'example'), file('package.json', '{}')] })
  writeFileSync(join(out, 'client.mjs'), 'mine')
  writeFolder(out, {
    credential: [file('private_key.pem', 'another key', 0o600)],
    examples: [file('client.mjs', 'example'), file('more.txt', '')],
  })
  assert.equal(readFileSync(join(out, 'client.mjs'), 'utf8'), 'mine')
  assert.equal(readFileSync(join(out, 'private_key.pem'), 'utf8'), 'another key')
  assert.ok(existsSync(join(out, 'more.txt')))
})

test('a place beside it into which others may look is not used for a key', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, '.pump-7.unfinished'), { mode: 0o755 })
  assert.throws(() => prepareUnfinished(join(folder, 'pump-7')), isRefusal('files-unwritable'))
})

test('a link that others have put beside it leads to nothing that is erased', (t) => {
  const out = join(temporaryFolder(t), 'pump-7')
  writeFolder(out, kit)
  removeUnfinished(out)
  const precious = temporaryFolder(t)
  writeFileSync(join(precious, 'thesis.txt'), 'years of work')
  symlinkSync(precious, join(dirname(out), '.pump-7.unfinished'))
  assert.throws(() => assertFolder(out, title, false), isRefusal('files-exist'))
  removeUnfinished(out)
  assert.equal(readFileSync(join(precious, 'thesis.txt'), 'utf8'), 'years of work')
})
