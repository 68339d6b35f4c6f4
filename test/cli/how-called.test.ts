import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { asTyped, calledAs } from '../../src/cli/how-called.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('a program that is found on the PATH is called by its name, any other through npx', (context) => {
  const folder = temporaryFolder(context)
  const program = join(folder, 'handfast.js')
  writeFileSync(program, '')
  const [installed, ofNpm] = [join(folder, 'bin'), join(folder, 'node_modules', '.bin')]
  for (const bin of [installed, ofNpm]) {
    mkdirSync(bin, { recursive: true })
    symlinkSync(program, join(bin, 'handfast'))
  }
  assert.equal(calledAs(program, [folder, installed].join(delimiter)), 'handfast')
  assert.equal(calledAs(join(installed, 'handfast'), installed), 'handfast')
  assert.equal(calledAs(program, ofNpm), 'npx handfast')
  assert.equal(calledAs(program, ''), 'npx handfast')
  assert.equal(calledAs(join(folder, 'missing'), installed), 'npx handfast')
})

test('commands and the id stand in a hint as they are typed', () => {
  const hint = 'make one: `handfast device token <id>`'
  assert.equal(asTyped(hint, 'pump-7'), 'make one: `npx handfast device token pump-7`')
  assert.equal(asTyped(asTyped(hint)), 'make one: `npx handfast device token <id>`')
})
