/** Which of the sixty reasons are made, and that the hub tells different causes apart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allRows } from './all-rows.ts'
import { notMade } from './not-made.ts'

const reasons = 60

test('each of the sixty reasons is made, or says why it cannot be', () => {
  const made = new Set(allRows.map(({ number }) => number))
  const numbers = Array.from({ length: reasons }, (_, index) => index + 1)
  assert.deepEqual(
    numbers.filter((number) => !made.has(number) && notMade[number] === undefined),
    [],
  )
  assert.deepEqual(
    Object.keys(notMade).filter((number) => made.has(Number(number))),
    [],
  )
  assert.ok(made.size >= 50, `${made.size} are made`)
})
