/** What the store must do for units of work: each whole or absent, whatever its neighbours in one commit do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/core/limits.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeIdentity } from '../store-fakes.ts'

export function unitContract(store: () => Store): void {
  test('a unit that fails leaves nothing, and its neighbours in the same commit are whole', async () => {
    const unit = (id: string, fail: boolean) =>
      store().write(async (tx) => {
        await tx.identities.insert(fakeIdentity(`${id}-1`, { group: 'units' }))
        await tx.settings.set(`unit-${id}`, 'set')
        if (fail) throw new Error(`refused ${id}`)
        await tx.identities.insert(fakeIdentity(`${id}-2`, { group: 'units' }))
        return id
      })
    const results = await Promise.allSettled([unit('good', false), unit('bad', true), unit('fine', false)])
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value : String(result.reason.message))),
      ['good', 'refused bad', 'fine'],
    )
    const { items } = await store().identities.list({ group: 'units', after: null, limit: 10 })
    assert.deepEqual(
      items.map(({ id }) => id),
      ['fine-1', 'fine-2', 'good-1', 'good-2'],
    )
    assert.equal(await store().settings.find('unit-bad'), null)
  })

  test('a unit that fails while other statements of it are under way leaves none of them', async () => {
    const taken = fakeIdentity('under-way')
    await store().write((tx) => tx.identities.insert(taken))
    const failing = store().write((tx) =>
      Promise.all([
        tx.identities.insert(taken),
        ...Array.from({ length: 20 }, (_, i) => tx.settings.set(`under-way-${i}`, 'set')),
      ]),
    )
    const neighbour = store().write((tx) => tx.settings.set('under-way-neighbour', 'set'))
    await assert.rejects(failing, { code: 'identity-exists' })
    await neighbour
    for (let i = 0; i < 20; i++) assert.equal(await store().settings.find(`under-way-${i}`), null)
    assert.equal(await store().settings.find('under-way-neighbour'), 'set')
  })

  test('a transaction sees its own writes, and nobody else does before the commit', async () => {
    const identity = fakeIdentity('unseen')
    const within = await store().write(async (tx) => {
      await tx.identities.insert(identity)
      const outside = await store().identities.find(identity.id)
      return { inside: await tx.identities.find(identity.id), outside }
    })
    assert.deepEqual(within.inside, identity)
    assert.equal(within.outside, null)
    assert.deepEqual(await store().identities.find(identity.id), identity)
  })

  test('a thousand units at once are all written', async () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => `many-${i}`)
    await Promise.all(ids.map((id) => store().write((tx) => tx.identities.insert(fakeIdentity(id, { group: 'many' })))))
    const { items } = await store().identities.list({ group: 'many', after: null, limit: 1_000 })
    assert.equal(items.length, 1_000)
  })

  test('more units than may wait are refused, and those accepted are written', async () => {
    const waiting = Array.from({ length: limits.transactionsWaitingMax + 300 }, () => store().write(async () => 1))
    const results = await Promise.allSettled(waiting)
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))
    assert.ok(refused.length > 0 && refused.length <= 300)
    assert.deepEqual([...new Set(refused)], ['store-unavailable'])
  })

  test('a transaction that has ended refuses to be used', async () => {
    const kept = await store().write(async (tx) => ({ tx }))
    await assert.rejects(kept.tx.settings.set('late', '1'), { name: 'CodingError' })
  })
}
