import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainLine } from '../../src/cli/log.ts'

test('a log line for a terminal is one plain line that no stranger can format', () => {
  const fields = { identity: 'a\u001b[31m\nb', count: 3, error: { type: 'Error', message: 'gone', stack: 'long' } }
  const line = JSON.stringify({ level: 'warn', time: '2026-11-01T08:00:00.000Z', ...fields, msg: 'session ended' })
  assert.equal(plainLine(line), '08:00:00 warn  session ended  identity=a\\u{1b}[31m b  count=3  error=gone')
})
