import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Examination } from '../../src/doctor/finding.ts'
import { type RunOptions, run } from '../support/run.ts'

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

test('a number that looks like an option is told to stand behind "--"', async () => {
  const { status, stderr } = await handfast(['-0x2E80'])
  assert.equal(status, 2)
  assert.match(stderr, /hint: write "--" before a number/)
})
