/** What the store must do for attempts: lists by filters, and the newest kept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewAttempt } from '../../../src/hub/ports/attempts.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeAttempt } from '../store-fakes.ts'

export function attemptContract(store: () => Store): void {
  test('attempts are filtered, paged both ways and read as they were written', async () => {
    const attempts: NewAttempt[] = Array.from({ length: 250 }, (_, i) => fakeAttempt(i))
    await store().write((tx) => tx.attempts.insertAll(attempts))
    const newest = await store().attempts.list({ order: 'newest', after: null, limit: 1 })
    const [last] = newest.items
    assert.deepEqual(last, { ...attempts[249], number: last?.number })
    const refused = { outcome: 'refused', code: 'certificate-revoked', identityId: 'pump-3' } as const
    const seen: number[] = []
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<Store['attempts']['list']>> = await store().attempts.list({
        ...refused,
        order: 'oldest',
        after,
        limit: 7,
      })
      seen.push(...page.items.map((attempt) => attempt.atMs))
      after = page.next
    } while (after !== null)
    assert.deepEqual(
      seen,
      attempts.filter((a) => a.outcome === 'refused' && a.identityId === 'pump-3').map((a) => a.atMs),
    )
    assert.ok(seen.length > 7)
    const lately = await store().attempts.list({ order: 'oldest', after: null, limit: 100, fromMs: 247 })
    assert.deepEqual(
      lately.items.map(({ atMs }) => atMs),
      [247, 248, 249],
    )
  })

  test('the newest attempts are kept, and numbers never come back', async () => {
    await store().write(async (tx) => {
      await tx.attempts.insertAll(Array.from({ length: 20 }, (_, i) => fakeAttempt(i)))
      await tx.attempts.keepNewest(5)
    })
    const kept = await store().attempts.list({ order: 'oldest', after: null, limit: 100 })
    assert.deepEqual(
      kept.items.map((attempt) => attempt.atMs),
      [15, 16, 17, 18, 19],
    )
    await store().write(async (tx) => {
      await tx.attempts.keepNewest(5)
      await tx.attempts.keepNewest(0)
      await tx.attempts.insertAll([fakeAttempt(1)])
    })
    const [next] = (await store().attempts.list({ order: 'oldest', after: null, limit: 1 })).items
    assert.equal(next?.number, (kept.items.at(-1)?.number ?? 0) + 1)
    await store().write((tx) => tx.attempts.insertAll([]))
  })
}
