/** What the store must count for metrics. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeCredential, fakeIdentity } from '../store-fakes.ts'

export function countContract(store: () => Store): void {
  test('certificates are counted by authority, state and end, from the first second and before the last', async () => {
    const id = fakeIdentity('counted')
    const ends = [100, 199, 200, 200, 299, 300]
    await store().write(async (tx) => {
      await tx.identities.insert(id)
      for (const [index, notAfterSec] of ends.entries()) {
        const where = { identityId: id.id, authorityId: 'counted', notAfterSec, state: 'active' } as const
        await tx.credentials.insert(fakeCredential(70_000 + index, where))
        await tx.credentials.insert(fakeCredential(71_000 + index, { ...where, state: 'superseded' }))
        await tx.credentials.insert(fakeCredential(72_000 + index, { ...where, authorityId: 'other' }))
      }
    })
    const count = (fromSec: number, beforeSec: number): Promise<number> =>
      store().counts.credentialsEnding({ authorityId: 'counted', state: 'active', fromSec, beforeSec })
    assert.deepEqual(
      await Promise.all([count(0, 100), count(100, 200), count(200, 300), count(300, 2 ** 50)]),
      [0, 2, 3, 1],
    )
    assert.equal(await count(300, 200), 0)

    await store().write(async (tx) => {
      for (const [index, profile] of ['plc', 'plc', 'dual', 'device'].entries()) {
        const where = { identityId: id.id, authorityId: 'counted', notAfterSec: 250, state: 'active', profile } as const
        await tx.credentials.insert(fakeCredential(73_000 + index, where))
      }
    })
    const ofProfile = (profile: string): Promise<number> =>
      store().counts.credentialsEnding({
        authorityId: 'counted',
        state: 'active',
        fromSec: 200,
        beforeSec: 300,
        profile,
      })
    assert.deepEqual(await Promise.all([ofProfile('plc'), ofProfile('dual'), ofProfile('server')]), [2, 1, 0])
    assert.equal(await count(200, 300), 7)
    assert.equal(await store().profiles.hasLiving('plc', 250), true)
    assert.equal(await store().profiles.hasLiving('plc', 251), false)
  })

  test('identities are counted by state', async () => {
    const before = await store().counts.identitiesIn('disabled')
    await store().write((tx) =>
      tx.identities.insertAll(['a', 'b', 'c'].map((id) => fakeIdentity(`counted-${id}`, { state: 'disabled' }))),
    )
    assert.equal(await store().counts.identitiesIn('disabled'), before + 3)
  })

  test('writes that wait are counted', async () => {
    const writes = Array.from({ length: 5 }, (_, i) => store().write((tx) => tx.settings.set(`waits-${i}`, 'set')))
    assert.deepEqual(store().health(), { unitsWaiting: 5, isWriting: true })
    await Promise.all(writes)
    assert.deepEqual(store().health(), { unitsWaiting: 0, isWriting: true })
  })
}
