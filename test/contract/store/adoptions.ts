/** What the store must do for what waits after a restore until it is adopted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '../../../src/core/identity/credential.ts'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeCredential, fakeIdentity } from '../store-fakes.ts'

export function adoptionContract(store: () => Store): void {
  test('what waits for adoption is kept by identity, replaced, listed and removed', async () => {
    const identities = ['wait-b', 'wait-a', 'wait-c'].map((id) => fakeIdentity(id, { attributes: { site: 'Zoë' } }))
    const ids = identities.map(({ id }) => id)
    const unadopted = (n: number, of: number): Credential =>
      fakeCredential(3_000 + n, { identityId: ids[of] ?? fakeIdentity('none').id, state: 'unadopted' })
    await store().write(async (tx) => {
      await tx.identities.insertAll(identities)
      await tx.adoptions.saveAll(identities.map((identity) => ({ identity, versionThen: 1 })))
      await tx.adoptions.saveAll([{ identity: { ...fakeIdentity('wait-a'), state: 'active' }, versionThen: 4 }])
      await tx.adoptions.saveAll([])
      await tx.credentials.insertAll([unadopted(2, 0), unadopted(1, 0), unadopted(3, 1)])
      await tx.credentials.insert({ ...unadopted(4, 1), state: 'active' })
    })
    assert.equal(await store().adoptions.count(), 3)
    const first = await store().adoptions.list({ after: null, limit: 2 })
    assert.deepEqual(first.items, [
      { identity: { ...fakeIdentity('wait-a'), state: 'active' }, versionThen: 4 },
      { identity: identities[0], versionThen: 1 },
    ])
    const second = await store().adoptions.list({ after: first.next, limit: 2 })
    assert.deepEqual(second, { items: [{ identity: identities[2], versionThen: 1 }], next: null })
    const waiting = await store().credentials.unadoptedOf(ids)
    assert.deepEqual(waiting, [unadopted(1, 0), unadopted(2, 0), unadopted(3, 1)])

    await store().write((tx) => tx.adoptions.removeAll(ids.slice(1)))
    assert.equal(await store().adoptions.count(), 1)
    assert.equal(await store().adoptions.find(fakeIdentity('wait-a').id), null)
    assert.deepEqual(await store().adoptions.find(fakeIdentity('wait-b').id), {
      identity: identities[0],
      versionThen: 1,
    })
  })
}
