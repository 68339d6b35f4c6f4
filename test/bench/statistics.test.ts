import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { medianInterval, percentile, spreadOf } from '../../bench/statistics.ts'

test('a percentile lies between its neighbours in proportion', () => {
  assert.equal(percentile([30, 10, 20], 50), 20)
  assert.equal(percentile([10, 20], 50), 15)
  assert.equal(percentile([0, 100], 99), 99)
  assert.equal(percentile([7], 99), 7)
})

test('a spread is the median with the least and the greatest, in whatever order they come', () => {
  assert.deepEqual(spreadOf([9, 1, 5]), { median: 5, min: 1, max: 9 })
})

test('statistics of nothing are refused, not made up', () => {
  assert.throws(() => spreadOf([]))
  assert.throws(() => medianInterval([]))
})

test('of nine values the interval of the median is the second smallest to the second greatest, held in 96 %', () => {
  const { low, high, confidence } = medianInterval([90, 10, 80, 20, 70, 30, 60, 40, 50])
  assert.deepEqual([low, high], [20, 80])
  assert.equal(confidence, 1 - (2 * (1 + 9)) / 2 ** 9)
})

test('of fifteen values it is the fourth smallest to the fourth greatest', () => {
  const { low, high, confidence } = medianInterval(Array.from({ length: 15 }, (_, index) => index + 1))
  assert.deepEqual([low, high], [4, 12])
  assert.equal(confidence, 1 - (2 * (1 + 15 + 105 + 455)) / 2 ** 15)
})

test('too few values give all that they have, and say how little that is', () => {
  const held = [1, 2, 3, 4, 5, 6].map((count) => medianInterval(Array.from({ length: count }, (_, index) => index)))
  assert.deepEqual(
    held.map(({ confidence }) => confidence),
    [0, 0.5, 0.75, 0.875, 0.9375, 0.96875],
  )
  assert.deepEqual(
    held.map(({ low, high }) => [low, high]),
    [0, 1, 2, 3, 4, 5].map((last) => [0, last]),
  )
})

test('the interval is as sure as was asked for, and no value narrower would do', () => {
  fc.assert(
    fc.property(fc.integer({ min: 6, max: 40 }), fc.constantFrom(0.8, 0.9, 0.95, 0.99), (count, wanted) => {
      const values = Array.from({ length: count }, (_, index) => index + 1)
      const { low, high, confidence } = medianInterval(values, wanted)
      assert.equal(low + high, count + 1)
      assert.ok(Math.abs(confidence - holding(count, low)) < 1e-9)
      assert.ok(confidence >= wanted || low === 1)
      if (2 * (low + 1) <= count) assert.ok(holding(count, low + 1) < wanted)
    }),
  )
})

/** How often the k-th smallest and greatest of so many hold the median: neither fewer than k tosses fall one way nor the other. */
function holding(count: number, k: number): number {
  let outside = 0
  for (let heads = 0; heads < k; heads++) outside += choose(count, heads) / 2 ** count
  return 1 - 2 * outside
}

function choose(n: number, k: number): number {
  return k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k
}
