/** What the store must do for processes that share it: leases, and answers that are kept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../../src/hub/ports/store.ts'

export function sharedWorkContract(store: () => Store): void {
  test('a lease has one holder at a time, who may renew it or give it back', async () => {
    const acquire = (holder: string, ttlMs: number) => store().write((tx) => tx.leases.acquire('work', holder, ttlMs))
    assert.equal(await acquire('one', 3_600_000), true)
    assert.equal(await acquire('two', 3_600_000), false)
    assert.equal(await acquire('one', 3_600_000), true)
    await store().write((tx) => tx.leases.release('work', 'two'))
    assert.equal(await acquire('two', 3_600_000), false)
    await store().write((tx) => tx.leases.release('work', 'one'))
    assert.equal(await acquire('two', 0), true)
    assert.equal(await acquire('three', 3_600_000), true, 'a lease that is over is free')
    assert.equal(await acquire('two', 3_600_000), false)
  })

  test('a sealed key is written once and never replaced', async () => {
    const insert = (content: string) => store().write((tx) => tx.sealedKeys.insert('root-1', content))
    assert.equal(await store().sealedKeys.find('root-1'), null)
    assert.equal(await insert('{"a":1}'), true)
    assert.equal(await insert('{"b":2}'), false)
    assert.equal(await store().sealedKeys.find('root-1'), '{"a":1}')
    assert.deepEqual(await store().sealedKeys.names(), ['root-1'])
  })

  test('an answer to an idempotent request is kept until it is removed by age', async () => {
    const answer = (key: string, createdAtMs: number) => ({
      key,
      requestHash: Uint8Array.of(1, 2),
      answer: Uint8Array.of(0, 255),
      createdAtMs,
    })
    await store().write(async (tx) => {
      await tx.idempotency.insert(answer('old', 5))
      await tx.idempotency.insert(answer('new', 6))
    })
    assert.deepEqual(await store().idempotency.find('old'), answer('old', 5))
    await assert.rejects(store().write((tx) => tx.idempotency.insert(answer('old', 7))))
    assert.equal(await store().write((tx) => tx.idempotency.removeBefore(6, 10)), 1)
    assert.equal(await store().idempotency.find('old'), null)
    assert.deepEqual(await store().idempotency.find('new'), answer('new', 6))
    await store().write((tx) => tx.idempotency.remove('new'))
    assert.equal(await store().idempotency.find('new'), null)
  })

  test('old answers are removed a bounded number at a time, the oldest first', async () => {
    const answer = (age: number) => ({
      key: `aged-${age}`,
      requestHash: Uint8Array.of(1),
      answer: Uint8Array.of(2),
      createdAtMs: 100 - age,
    })
    await store().write(async (tx) => {
      for (const age of [1, 4, 2, 5, 3]) await tx.idempotency.insert(answer(age))
    })
    const left = async () => {
      const found = await Promise.all([1, 2, 3, 4, 5].map((age) => store().idempotency.find(`aged-${age}`)))
      return found.flatMap((each) => (each === null ? [] : [100 - each.createdAtMs]))
    }
    assert.equal(await store().write((tx) => tx.idempotency.removeBefore(99, 2)), 2)
    assert.deepEqual(await left(), [1, 2, 3])
    assert.equal(await store().write((tx) => tx.idempotency.removeBefore(99, 10)), 2)
    assert.deepEqual(await left(), [1])
  })
}
