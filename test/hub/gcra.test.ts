import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { RateTable } from '../../src/hub/gcra.ts'

const rate = { burst: 5, everyMs: 1_000 }
const steps = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), afterMs: fc.nat(3_000) }), { maxLength: 200 })

describe('a rate with a burst', () => {
  test('lets its burst through at once, then one a step', () => {
    const table = new RateTable(rate, 10)
    const taken = Array.from({ length: 8 }, () => table.take('a', 0))
    assert.deepEqual(taken, [0, 0, 0, 0, 0, 1_000, 1_000, 1_000])
    assert.equal(table.take('a', 999), 1)
    assert.equal(table.take('a', 1_000), 0)
    assert.equal(table.take('a', 1_000), 1_000)
  })

  test('never lets through more in any stretch of time than the burst and one a step', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const table = new RateTable(rate, 10)
        const takenAt = new Map<string, number[]>()
        let nowMs = 0
        for (const { key, afterMs } of all) {
          nowMs += afterMs
          if (table.take(key, nowMs) === 0) takenAt.set(key, [...(takenAt.get(key) ?? []), nowMs])
        }
        for (const times of takenAt.values()) {
          for (const [from, fromMs] of times.entries()) {
            for (const [to, toMs] of times.entries()) {
              if (to < from) continue
              assert.ok(to - from + 1 <= rate.burst + Math.floor((toMs - fromMs) / rate.everyMs))
            }
          }
        }
      }),
    )
  })

  test('names the wait exactly: not a millisecond sooner, and never later', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const table = new RateTable(rate, 10)
        let nowMs = 0
        for (const { key, afterMs } of all) {
          nowMs += afterMs
          const waitMs = table.take(key, nowMs)
          if (waitMs === 0) continue
          assert.ok(waitMs <= rate.everyMs)
          assert.ok(table.waitMs(key, nowMs + waitMs - 1) > 0)
          assert.equal(table.waitMs(key, nowMs + waitMs), 0)
        }
      }),
    )
  })

  test('is each key’s own: what one takes is not missing to another', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const together = new RateTable(rate, 10)
        const apart = new Map(['a', 'b', 'c'].map((key) => [key, new RateTable(rate, 10)]))
        let nowMs = 0
        for (const { key, afterMs } of all) {
          nowMs += afterMs
          assert.equal(together.take(key, nowMs), apart.get(key)?.take(key, nowMs))
        }
      }),
    )
  })

  test('takes nothing where it refuses, so that asking on does not lengthen the wait', () => {
    const table = new RateTable(rate, 10)
    for (let taken = 0; taken < 100; taken += 1) table.take('a', 0)
    assert.equal(table.take('a', 1_000), 0)
  })
})

test('a clock that is set back by a year costs a key its burst, not a year', () => {
  const table = new RateTable(rate, 10)
  const yearMs = 365 * 86_400_000
  for (let taken = 0; taken < rate.burst; taken += 1) table.take('a', yearMs)
  const waitMs = table.take('a', 0)
  assert.ok(waitMs > 0 && waitMs <= rate.everyMs)
  assert.equal(table.take('a', waitMs), 0)
})

test('however many keys come, no more are remembered than were allowed', () => {
  const table = new RateTable(rate, 100)
  for (let number = 0; number < 10_000; number += 1) {
    assert.equal(table.take(`key-${number}`, number), 0)
    assert.ok(table.size <= 100)
  }
})

test('keys whose account is even are forgotten before one that has to wait', () => {
  const table = new RateTable(rate, 3)
  table.take('even', 0)
  for (let taken = 0; taken < rate.burst; taken += 1) table.take('waits', 10_000)
  table.take('new', 10_000)
  table.take('newer', 10_000)
  assert.ok(table.take('waits', 10_000) > 0)
})

test('what is given back can be taken at once, and more than was taken cannot be', () => {
  const table = new RateTable({ burst: 2, everyMs: 1_000 }, 10)
  table.take('a', 0)
  table.take('a', 0)
  assert.equal(table.take('a', 0), 1_000)
  table.giveBack('a', 0)
  assert.equal(table.take('a', 0), 0)
  for (let more = 0; more < 5; more++) table.giveBack('a', 0)
  assert.deepEqual([table.take('a', 0), table.take('a', 0)], [0, 0])
  assert.notEqual(table.take('a', 0), 0)
})
