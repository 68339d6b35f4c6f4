/** Making and removing keys of the admin API: nobody gets more that way than they have. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Act } from '../../src/core/authorisation/act.ts'
import type { RoleGrant } from '../../src/core/authorisation/role.ts'
import { limits } from '../../src/core/limits.ts'
import { Secret } from '../../src/core/secret.ts'
import { authenticateApiKey, createApiKey } from '../../src/hub/api-keys.ts'
import { Access } from '../../src/hub/authorise.ts'
import { addKey, type KeyOrder, knownKeys, removeKey } from '../../src/hub/manage-keys.ts'
import { fakeApiKey } from '../contract/store-fakes.ts'
import { type HubParts, hubParts } from '../support/hub-parts.ts'

const admin: RoleGrant = { role: 'admin', groups: [], mayRegister: false }
const owner: RoleGrant = { role: 'owner', groups: ['line-1', 'line-2'], mayRegister: false }

function as(grant: RoleGrant, act: Act, endsAtMs: number | null = null): Access {
  const caller = { id: 'key:0', actor: 'key:test', grants: [grant], endsAtMs, derivedKey: () => new Uint8Array(32) }
  return new Access(caller, act)
}

const station: KeyOrder = {
  name: 'station',
  role: 'requester',
  groups: ['line-2'],
  mayRegister: true,
  lifetimeSec: null,
}

function made(hub: HubParts, order: Partial<KeyOrder>, by: RoleGrant = admin, endsAtMs: number | null = null) {
  return addKey(hub, as(by, 'key.add', endsAtMs), { ...station, ...order })
}

describe('a key', () => {
  test('is its role, its groups and its end, and opens nothing from its last moment on', async (t) => {
    const hub = await hubParts(t)
    const { text } = await made(hub, { lifetimeSec: 60 })
    const caller = await authenticateApiKey(hub, text)
    assert.deepEqual(caller.grants, [{ role: 'requester', groups: ['line-2'], mayRegister: true }])
    assert.deepEqual([caller.actor, caller.endsAtMs], ['key:station', hub.clock.nowMs() + 60_000])
    hub.clock.advance(59_999)
    await authenticateApiKey(hub, text)
    hub.clock.advance(1)
    await assert.rejects(authenticateApiKey(hub, text), { code: 'key-expired' })
    const guess = new Secret(`${text.reveal().slice(0, 17)}${'A'.repeat(43)}`)
    await assert.rejects(authenticateApiKey(hub, guess), { code: 'key-invalid' })
  })

  test('stands in the audit log with all but its secret', async (t) => {
    const hub = await hubParts(t)
    const { text, row } = await made(hub, {})
    await removeKey(hub, as(admin, 'key.remove'), 'station')
    const { items } = await hub.store.audit.list({ after: null, limit: 2 })
    const said = { key: row.id, role: 'requester', groups: ['line-2'], mayRegister: true, expiresAt: null }
    assert.deepEqual(
      items.map(({ actor, act, subject, before, after }) => [actor, act, subject, before, after]),
      [
        ['key:test', 'api-key.remove', 'station', said, null],
        ['key:test', 'api-key.create', 'station', null, said],
      ],
    )
    const [, secret = ''] = text.reveal().split('.')
    assert.ok(!JSON.stringify(items).includes(secret))
    await assert.rejects(authenticateApiKey(hub, text), { code: 'key-invalid' })
  })

  test('has a name that no other has, and none of those that the hub makes anew by itself', async (t) => {
    const hub = await hubParts(t)
    await made(hub, {})
    await assert.rejects(made(hub, { role: 'auditor', groups: [], mayRegister: false }), { code: 'key-exists' })
    for (const name of ['admin', 'Admin', 'admin-1a2b', '', 'a b', '-x', 'x'.repeat(65)]) {
      await assert.rejects(made(hub, { name }), { code: 'request-invalid' }, name)
    }
    await made(hub, { name: 'administrator' })
  })

  test('is not made where there are as many as are kept', async (t) => {
    const hub = await hubParts(t)
    await hub.store.write(async (tx) => {
      for (let n = 0; n < limits.apiKeysMax; n += 1) {
        await tx.apiKeys.insert(fakeApiKey({ id: n.toString(16).padStart(16, '0'), name: `n-${n}` }))
      }
    })
    await assert.rejects(made(hub, {}), { code: 'keys-too-many' })
  })
})

describe('whoever makes a key', () => {
  test('as an owner makes requesters of its groups, and nothing else', async (t) => {
    const hub = await hubParts(t)
    await made(hub, {}, owner)
    await made(hub, { name: 'both', groups: ['line-1', 'line-2'] }, owner)
    const wrong: readonly Partial<KeyOrder>[] = [
      { groups: ['line-3'] },
      { groups: ['line-2', 'line-3'] },
      { role: 'owner', mayRegister: false },
      { role: 'auditor', groups: [], mayRegister: false },
      { role: 'admin', groups: [], mayRegister: false },
    ]
    for (const order of wrong) {
      await assert.rejects(
        made(hub, { name: 'more', ...order }, owner),
        { code: 'grant-exceeds' },
        JSON.stringify(order),
      )
    }
    assert.equal(await hub.store.apiKeys.named('more'), null)
  })

  test('makes none that outlives the key it was made with', async (t) => {
    const hub = await hubParts(t)
    const endsAtMs = hub.clock.nowMs() + 3_600_000
    for (const by of [admin, owner]) {
      await assert.rejects(made(hub, {}, by, endsAtMs), { code: 'grant-exceeds' })
      await assert.rejects(made(hub, { lifetimeSec: 3_601 }, by, endsAtMs), { code: 'grant-exceeds' })
      const { row } = await made(
        hub,
        { name: by.role, lifetimeSec: 3_600, ...(by === admin ? { name: 'x' } : {}) },
        by,
        endsAtMs,
      )
      assert.equal(row.expiresAtMs, endsAtMs)
    }
  })

  test('sees and removes the keys that it could have made, and no other', async (t) => {
    const hub = await hubParts(t)
    await createApiKey(hub, 'admin')
    await made(hub, { name: 'mine' })
    await made(hub, { name: 'theirs', groups: ['line-3'] })
    await made(hub, { name: 'partly', groups: ['line-2', 'line-3'] })
    await made(hub, { name: 'like-me', role: 'owner', mayRegister: false })
    const names = (await knownKeys(hub.store.apiKeys, as(owner, 'access.read'))).map(({ name }) => name)
    assert.deepEqual(names, ['mine'])
    for (const name of ['theirs', 'partly', 'like-me', 'admin', 'nobody']) {
      await assert.rejects(removeKey(hub, as(owner, 'key.remove'), name), { code: 'key-not-found' }, name)
    }
    await removeKey(hub, as(owner, 'key.remove'), 'mine')
    const all = (await knownKeys(hub.store.apiKeys, as(admin, 'access.read'))).map(({ name }) => name)
    assert.deepEqual(all, ['admin', 'like-me', 'partly', 'theirs'])
  })
})

test('the last admin key without an end cannot be removed, also not by two at once', async (t) => {
  const hub = await hubParts(t)
  await createApiKey(hub, 'admin')
  const adminOrder = { role: 'admin', groups: [], mayRegister: false } as const
  await made(hub, { name: 'guest', ...adminOrder, lifetimeSec: 3_600 })
  const remove = (name: string) => removeKey(hub, as(admin, 'key.remove'), name)
  await assert.rejects(remove('admin'), { code: 'last-admin-key' })
  await made(hub, { name: 'alice', ...adminOrder })
  const outcomes = await Promise.allSettled([remove('admin'), remove('alice')])
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await remove('guest')
})
