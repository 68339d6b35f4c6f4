/**
 * What every adapter of the store ports must do. An adapter's test calls {@link storeContract} with a way to open an empty
 * store and, when it is durable, a way to open the same one again after `close`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../../src/hub/ports/store.ts'
import { fakeIdentity } from '../store-fakes.ts'
import { adoptionContract } from './adoptions.ts'
import { attemptContract } from './attempts.ts'
import { authorityContract } from './authority.ts'
import { caseContract } from './cases.ts'
import { countContract } from './counts.ts'
import { credentialContract } from './credentials.ts'
import { bulkContract, identityContract } from './identities.ts'
import { listContract } from './lists.ts'
import { auditContract, eventNumberContract, followContract } from './logs.ts'
import { policyContract } from './policy.ts'
import { sharedWorkContract } from './shared-work.ts'
import { smallTablesContract } from './small-tables.ts'
import { unitContract } from './units.ts'

export interface OpenedStore {
  readonly store: Store
  /** Opens the same store again, after it was closed. */
  reopen?(): Promise<Store>
}

export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`store contract: ${name}`, () => {
    let opened: OpenedStore
    let store: Store
    before(async () => {
      opened = await open()
      store = opened.store
    })
    after(() => store.close())

    identityContract(() => store)
    bulkContract(() => store)
    listContract(() => store)
    credentialContract(() => store)
    smallTablesContract(() => store)
    authorityContract(() => store)
    policyContract(() => store)
    auditContract(() => store)
    sharedWorkContract(() => store)
    adoptionContract(() => store)
    followContract(() => store)
    eventNumberContract(() => store)
    attemptContract(() => store)
    caseContract(() => store)
    countContract(() => store)
    unitContract(() => store)

    test('what was acknowledged is there after the store is closed and opened again', async (t) => {
      if (opened.reopen === undefined) return t.skip('the adapter is not durable')
      const identity = fakeIdentity('durable-1')
      await store.write((tx) => tx.identities.insert(identity))
      const late = store.write((tx) => tx.identities.insert(fakeIdentity('durable-2')))
      await store.close()
      await late
      await assert.rejects(
        store.write(async () => {}),
        { code: 'store-unavailable' },
      )
      await assert.rejects(store.identities.find(identity.id), { code: 'store-unavailable' })
      store = await opened.reopen()
      assert.deepEqual(await store.identities.find(identity.id), identity)
      assert.notEqual(await store.identities.find(fakeIdentity('durable-2').id), null, 'close writes what was accepted')
    })
  })
}
