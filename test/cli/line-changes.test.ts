/** What `handfast policy diff` says of two texts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineChanges } from '../../src/cli/commands/policy/line-changes.ts'

test('lines that stay are the same, others go and come', () => {
  const changes = lineChanges('a\nb\nc\n', 'a\nx\nc\nd\n').map(({ kind, text }) => `${kind} ${text}`)
  assert.deepEqual(changes, ['same a', 'removed b', 'added x', 'same c', 'added d'])
  assert.deepEqual(lineChanges('', ''), [])
})

test('of any two texts both can be had again from what is said', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    .map((lines) => lines.map((each) => `${each}\n`).join(''))
  fc.assert(
    fc.property(text, text, (before, after) => {
      const changes = lineChanges(before, after)
      const without = (kind: string) =>
        changes
          .filter((each) => each.kind !== kind)
          .map((each) => `${each.text}\n`)
          .join('')
      assert.equal(without('added'), before)
      assert.equal(without('removed'), after)
    }),
  )
})

test('two long texts that share nothing are told as a whole, in little time and memory', () => {
  const lines = (word: string) => Array.from({ length: 60_000 }, (_, i) => `${word}${i}\n`).join('')
  assert.equal(lineChanges(lines('a'), lines('b')).length, 120_000)
})
