import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { calledWindow, renewalWindow } from '../../../src/core/renewal/window.ts'

const daySec = 86_400
const bornMs = Date.UTC(2026, 10, 21, 12)
const bornSec = bornMs / 1000

function life(lifeSec: number, serialNumber = '3f01') {
  return { serialNumber, issuedAtMs: bornMs, notAfterSec: bornSec + lifeSec - 1 }
}

const serials = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((octets) => Buffer.from(octets).toString('hex'))

test('a window lies within the life of its certificate, and begins before it ends', () => {
  const parts = fc.double({ min: 0.01, max: 0.99, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 400 * daySec }), serials, parts, (lifeSec, serial, windowFrom) => {
      const { fromSec, untilSec } = renewalWindow(life(lifeSec, serial), windowFrom)
      assert.ok(fromSec < untilSec)
      assert.ok(untilSec < bornSec + lifeSec)
      assert.ok(untilSec > bornSec)
    }),
  )
})

test('a long life is renewed by two thirds, one of less than ten days by a half, at most a tenth of it earlier', () => {
  fc.assert(
    fc.property(fc.integer({ min: daySec, max: 400 * daySec }), serials, (lifeSec, serial) => {
      const place = lifeSec < 10 * daySec ? 1 / 2 : 2 / 3
      const { untilSec } = renewalWindow(life(lifeSec, serial), 2 / 3)
      assert.ok(untilSec <= bornSec + lifeSec * place)
      assert.ok(untilSec >= bornSec + Math.floor(lifeSec * (place - 1 / 10)))
    }),
  )
})

test('a short life does not move a window that its profile puts earlier', () => {
  const { untilSec } = renewalWindow(life(3 * daySec), 0.25)
  assert.ok(untilSec <= bornSec + 0.25 * 3 * daySec)
})

test('a fleet that enrolled in one second comes back over a day, and each device always at the same time', () => {
  const ends = () =>
    Array.from({ length: 1_000 }, (_, n) => renewalWindow(life(10 * daySec, `7f${n + 4096}`), 2 / 3).untilSec)
  assert.deepEqual(ends(), ends())
  const hours = Map.groupBy(ends(), (end) => Math.floor(end / 3_600))
  assert.ok(hours.size >= 24, `${hours.size} hours`)
  assert.ok(Math.max(...[...hours.values()].map(({ length }) => length)) < 100)
})

test('a window that was called is over', () => {
  const { fromSec, untilSec } = calledWindow(bornSec)
  assert.ok(fromSec < untilSec && untilSec < bornSec)
})
