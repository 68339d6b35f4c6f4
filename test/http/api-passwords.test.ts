import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoleGrant } from '../../src/core/authorisation/role.ts'
import { parseIdentityId } from '../../src/core/identity/id.ts'
import { Access } from '../../src/hub/authorise.ts'
import { addKey } from '../../src/hub/manage-keys.ts'
import type { Store } from '../../src/hub/ports/store.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'
import { type ApiParts, apiParts, ask } from './api-parts.ts'
import { assertProblem } from './problem.ts'

const id = parseIdentityId('pump-7')
const path = `/identities/${id}/passwords`
/** Octets of the salt, drawn as the last thing before the slow hash; nothing else in this draws as many. */
const saltBytes = 16

/** Asked by whoever owns `hall-1`, where the device is. */
async function ownersApi(t: Parameters<typeof apiParts>[0]): Promise<ApiParts> {
  const api = await apiParts(t)
  const admin: RoleGrant = { role: 'admin', groups: [], mayRegister: false }
  const caller = {
    ...{ id: 'key:0', actor: 'key:test', grants: [admin], endsAtMs: null },
    derivedKey: () => Uint8Array.of(),
  }
  const owner: RoleGrant = { role: 'owner', groups: ['hall-1'], mayRegister: false }
  const { text } = await addKey(api.hub, new Access(caller, 'key.add'), { name: 'owner', ...owner, lifetimeSec: null })
  await api.hub.store.write((tx) => tx.identities.insert(fakeIdentity(id, { state: 'active', group: 'hall-1' })))
  return { ...api, key: text.reveal() }
}

/** Calls when a password is about to be hashed. */
function beforeHashing({ hub }: ApiParts, call: () => void): void {
  const bytes = hub.random.bytes.bind(hub.random)
  Object.assign(hub.random, {
    bytes(count: number) {
      if (count === saltBytes) call()
      return bytes(count)
    },
  })
}

test('a password is hashed outside of every transaction, also for whoever owns a group alone', async (t) => {
  const api = await ownersApi(t)
  const { store } = api.hub
  const write: Store['write'] = store.write.bind(store)
  let open = 0
  const openWhenHashed: number[] = []
  Object.assign(store, {
    write: ((unit) =>
      write(async (tx) => {
        open += 1
        try {
          return await unit(tx)
        } finally {
          open -= 1
        }
      })) satisfies Store['write'],
  })
  beforeHashing(api, () => openWhenHashed.push(open))
  for (const headers of [{}, { 'idempotency-key': 'one' }]) {
    assert.equal((await ask(api, 'POST', path, {}, headers)).statusCode, 201)
  }
  assert.deepEqual(openWhenHashed, [0, 0])
})

test('a device that leaves the group while its password is hashed gets none', async (t) => {
  const api = await ownersApi(t)
  const { store } = api.hub
  const moves: Promise<void>[] = []
  beforeHashing(api, () => {
    moves.push(store.write((tx) => tx.identities.update(fakeIdentity(id, { state: 'active', group: 'hall-2' }))))
  })
  assertProblem(await ask(api, 'POST', path, {}), 404, 'identity-not-found')
  assert.equal(moves.length, 1)
  await Promise.all(moves)
  assert.deepEqual(await store.passwords.listOfIdentity(id), [])
})

test('a password that is asked for again with the same key is the same', async (t) => {
  const api = await ownersApi(t)
  const headers = { 'idempotency-key': 'one' }
  const first = await ask(api, 'POST', path, {}, headers)
  const again = await ask(api, 'POST', path, {}, headers)
  assert.equal(again.body, first.body)
  assert.equal(again.headers['idempotency-replayed'], 'true')
  assert.equal((await api.hub.store.passwords.listOfIdentity(id)).length, 1)
})
