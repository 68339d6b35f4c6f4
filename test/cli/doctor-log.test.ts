import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Examination } from '../../src/doctor/finding.ts'
import { type RunOptions, run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const handfast = (args: readonly string[], options: RunOptions = {}) =>
  run(process.execPath, [join(import.meta.dirname, '../../bin/handfast.js'), 'doctor', ...args], options)

test('numbers and lines stand on the command line, each told for itself', async () => {
  const { status, stdout } = await handfast(['--json', '--', '-0x2E80', 'verify error:num=23:certificate revoked'])
  assert.equal(status, 1)
  const examinations = JSON.parse(stdout) as readonly Examination[]
  assert.deepEqual(
    examinations.map(({ subject, findings }) => [subject, findings[0]?.code]),
    [
      ['-0x2E80', 'key-encryption-unsupported'],
      ['the line', 'hub-certificate-revoked'],
    ],
  )
})

test('a log comes on standard input; what is not known in it is no fault', async () => {
  const known = await handfast([], { input: 'Client pump-7 sending CONNECT\nClient pump-7 received CONNACK (134)\n' })
  assert.equal(known.status, 1)
  assert.match(known.stdout, /^line 2\n.*\n.*\n {2}fault \(likely\): HF-2141 password-wrong\n/)
  const unknown = await handfast(['-'], { input: 'all is well\n' })
  assert.equal(unknown.status, 0)
  assert.match(unknown.stdout, /note: HF-7849 log-line-unknown/)
})

test('a log in a file is read as one, whatever its name, and a file of something else is none', async (t) => {
  const folder = temporaryFolder(t)
  const told = async (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    const { stdout } = await handfast(['--json', join(folder, name)])
    return (JSON.parse(stdout) as readonly Examination[]).map(({ findings }) => findings[0]?.code)
  }
  const line = 'Client pump-7 received CONNACK (134)\n'
  assert.deepEqual(await told('broker.log', line), ['password-wrong'])
  assert.deepEqual(await told('output', line), ['password-wrong'])
  assert.deepEqual(await told('broker.log.1', 'all is well\n'), ['log-line-unknown'])
  assert.deepEqual(await told('notes', 'all is well\n'), ['file-unrecognised'])
  assert.deepEqual(await told('pass.txt', 'verify error:num=23\n'), ['key-open-to-others'])
})

test('a number that looks like an option is told to stand behind "--"', async () => {
  const { status, stderr } = await handfast(['-0x2E80'])
  assert.equal(status, 2)
  assert.match(stderr, /hint: write "--" before a number/)
})
