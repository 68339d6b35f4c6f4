import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  dueAtMs,
  type Hint,
  type Life,
  leastAgeMs,
  nextTryAtMs,
  retryAtMs,
} from '../../../src/device/renewal/schedule.ts'

const day = 86_400_000
const minute = 60_000
const born = Date.UTC(2026, 0, 1)
const life = (days: number): Life => ({ obtainedAtMs: born, notBeforeMs: born, notAfterMs: born + days * day })
const lives = fc
  .record({
    notBeforeMs: fc.integer({ min: 0, max: 2 ** 41 }),
    lengthMs: fc.integer({ min: 2 * minute, max: 3_650 * day }),
    obtained: fc.option(fc.double({ min: -1, max: 2, noNaN: true })),
  })
  .map(
    ({ notBeforeMs, lengthMs, obtained }): Life => ({
      notBeforeMs,
      notAfterMs: notBeforeMs + lengthMs,
      obtainedAtMs: obtained === null ? null : Math.round(notBeforeMs + obtained * lengthMs),
    }),
  )
const hints = fc
  .record({ fromMs: fc.integer({ min: 0, max: 2 ** 42 }), widthMs: fc.integer({ min: 1, max: 30 * day }) })
  .map(({ fromMs, widthMs }): Hint => ({ fromMs, untilMs: fromMs + widthMs }))

describe('when a certificate is due', () => {
  test('without a hint it is two thirds of the life, a tenth of the life earlier or later, always the same for one device', () => {
    const ids = Array.from({ length: 500 }, (_, n) => `pump-${n}`)
    const parts = ids.map((id) => (dueAtMs(id, life(90), null) - born) / (90 * day))
    assert.ok(parts.every((part) => part >= 2 / 3 - 0.1 && part < 2 / 3 + 0.1))
    assert.ok(Math.min(...parts) < 0.58 && Math.max(...parts) > 0.75, 'a fleet is spread over the whole width')
    assert.deepEqual(
      parts,
      ids.map((id) => (dueAtMs(id, life(90), null) - born) / (90 * day)),
    )
  })

  test('within the window of the hub where it has given one', () => {
    const hint = { fromMs: born + 10 * day, untilMs: born + 11 * day }
    for (const id of ['a', 'b', 'c', 'd']) {
      const due = dueAtMs(id, life(90), hint)
      assert.ok(due >= hint.fromMs && due < hint.untilMs)
    }
  })

  test('a window that is over means at once, but not before the certificate has a least age', () => {
    const called = { fromMs: born - day, untilMs: born - day + minute }
    assert.equal(dueAtMs('pump-7', life(90), called), born + leastAgeMs(life(90)))
    assert.equal(leastAgeMs(life(90)), 3_600_000)
  })

  test('a life that was backdated is counted from when the certificate came', () => {
    const backdated: Life = { notBeforeMs: born - 60 * minute, notAfterMs: born + 60 * minute, obtainedAtMs: born }
    assert.ok(dueAtMs('pump-7', backdated, null) > born + 30 * minute)
  })

  test('whatever hub and clock say: while a tenth of the life is left, and never before its beginning', () => {
    fc.assert(
      fc.property(fc.string(), lives, fc.option(hints), (id, each, hint) => {
        const due = dueAtMs(id, each, hint)
        const isKnown =
          each.obtainedAtMs !== null && each.obtainedAtMs >= each.notBeforeMs && each.obtainedAtMs < each.notAfterMs
        const beganMs = isKnown ? (each.obtainedAtMs ?? 0) : each.notBeforeMs
        const latest = each.notAfterMs - (each.notAfterMs - beganMs) / 10
        assert.ok(due <= Math.max(latest, beganMs + leastAgeMs(each)) + 1)
        assert.ok(due >= each.notBeforeMs)
      }),
    )
  })
})

describe('when it is tried again', () => {
  const tries = (failures: number, lastMs: number, retryAfterMs: number | null = null) => ({
    failures,
    lastMs,
    retryAfterMs,
  })

  test('after about a minute, ten minutes, an hour, and then every six hours while there is time', () => {
    const at = born + 60 * day
    const waits = [1, 2, 3, 4, 5, 9].map((failures) => retryAtMs('pump-7', life(90), tries(failures, at)) - at)
    const expected = [1, 10, 60, 360, 360, 360].map((minutes) => minutes * minute)
    for (const [n, wait] of waits.entries()) {
      const about = expected[n] ?? 0
      assert.ok(wait >= about * 0.9 && wait <= about * 1.1 + minute, `${wait} ms for try ${n}`)
    }
  })

  test('closer together as the end comes near, and every hour when it has passed', () => {
    const end = life(90).notAfterMs
    const wait = (at: number) => retryAtMs('pump-7', life(90), tries(9, at)) - at
    assert.equal(wait(end - 10 * 3_600_000), 3_600_000)
    assert.equal(wait(end - 100 * minute), 10 * minute)
    assert.equal(wait(end - minute), minute)
    assert.equal(wait(end + 5 * day), 3_600_000)
  })

  test('as late as the hub asks, as long as that leaves several tries', () => {
    const at = born + 80 * day
    assert.ok(retryAtMs('pump-7', life(90), tries(1, at, 2 * 3_600_000)) - at >= 1.8 * 3_600_000)
    assert.ok(retryAtMs('pump-7', life(90), tries(1, at, 20 * day)) - at <= day)
  })

  test('a life of ten minutes leaves time for many tries', () => {
    const short: Life = { obtainedAtMs: born, notBeforeMs: born, notAfterMs: born + 10 * minute }
    let now = dueAtMs('pump-7', short, null)
    let count = 0
    for (let failures = 1; now < short.notAfterMs; failures++) {
      now = retryAtMs('pump-7', short, tries(failures, now))
      count++
    }
    assert.ok(count >= 8, `${count} tries`)
  })

  test('whatever happens, it is tried again within six and a half hours, and never at once', () => {
    fc.assert(
      fc.property(
        fc.string(),
        lives,
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 0, max: 2 ** 42 }),
        fc.option(fc.integer({ min: 0, max: 6 * 3_600_000 })),
        (id, each, failures, lastMs, retryAfterMs) => {
          const wait = retryAtMs(id, each, tries(failures, lastMs, retryAfterMs)) - lastMs
          assert.ok(wait >= 5_000 - 1 && wait <= 6.6 * 3_600_000 + 1)
        },
      ),
    )
  })

  test('a try in the future shows a clock that was set back, and holds nobody up', () => {
    const wrong = tries(3, Date.UTC(2038, 0, 19))
    const now = born + 75 * day
    assert.ok(nextTryAtMs('pump-7', life(90), null, wrong, now) <= now)
  })
})
