/** What a restored registry may not give back of roles, groups, profiles and names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IdentityId, parseIdentityId } from '../../src/core/identity/id.ts'
import { deviceProfile } from '../../src/core/profile/built-in.ts'
import type { Profile } from '../../src/core/profile/profile.ts'
import { adoptIdentity } from '../../src/hub/adopt.ts'
import { addProfile, changeProfile, removeProfile } from '../../src/hub/change-profiles.ts'
import { editDevice } from '../../src/hub/edit-device.ts'
import type { GrantsGiven } from '../../src/hub/grants.ts'
import { rolesOf } from '../../src/hub/person-roles.ts'
import { profileNamed } from '../../src/hub/profiles.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'
import { registered } from '../support/hub-parts.ts'
import { TimeMachine } from '../support/time-machine.ts'

const actor = 'key:test'

test('a role that was taken from a person after the copy stays so, and one that was given is given again by nobody', async (t) => {
  const machine = await TimeMachine.start(t)
  const id = parseIdentityId('alice')
  const rows = ['line-1', 'line-2'].map(
    (group) => ({ identityId: id, role: 'owner', group, mayRegister: false }) as const,
  )
  const [first, second] = rows
  assert.ok(first && second)
  await machine.hub.store.write(async (tx) => {
    await tx.identities.insert(fakeIdentity(id, { kind: 'user', state: 'active', profiles: ['user'] }))
    for (const row of rows) await tx.roleGrants.insert(row)
  })
  const copy = await machine.backUp()
  await machine.hub.store.write(async (tx) => {
    await tx.roleGrants.remove(first)
    await tx.events.append({ type: 'role-grant-removed', identityId: id, role: first.role, group: first.group })
    await tx.roleGrants.insert({ identityId: id, role: 'admin', group: null, mayRegister: false })
  })
  const report = await machine.restore(copy)
  assert.equal(report.rolesWithdrawn, 1)
  const left = await rolesOf(machine.hub.store, id)
  assert.deepEqual(left, [{ role: 'owner', groups: ['line-2'], mayRegister: false }])
})

test('a device that has left its group after the copy is in none until it is adopted', async (t) => {
  const machine = await TimeMachine.start(t)
  const edit = (id: IdentityId, group: string | null) => editDevice(machine.hub, actor, id, { group }, null)
  const [moved, kept, back] = [
    await registered(machine.hub, 'moved'),
    await registered(machine.hub, 'kept'),
    await registered(machine.hub, 'back'),
  ]
  for (const { identity } of [moved, kept, back]) await edit(identity.id, 'line-1')
  const copy = await machine.backUp()
  await edit(moved.identity.id, 'line-2')
  await editDevice(machine.hub, actor, kept.identity.id, { attributes: { site: 'x' } }, null)
  await edit(back.identity.id, null)
  await edit(back.identity.id, 'line-1')

  await machine.restore(copy)
  const groupOf = async (id: IdentityId) => (await machine.hub.store.identities.find(id))?.group
  assert.equal(await groupOf(moved.identity.id), null)
  assert.equal(await groupOf(kept.identity.id), 'line-1')
  assert.equal(await groupOf(back.identity.id), 'line-1')
  const { identity } = await adoptIdentity(machine.hub, actor, moved.identity.id)
  assert.equal(identity.group, 'line-2')
})

test('profiles and names that a device has lost after the copy are not its own again', async (t) => {
  const machine = await TimeMachine.start(t)
  const { identity } = await registered(machine.hub, 'press-4')
  const edit = (grants: GrantsGiven) => editDevice(machine.hub, actor, identity.id, grants, null)
  await edit({ profiles: ['device', 'dual'], dnsNames: ['a.example', 'b.example'], ipAddresses: ['10.3.0.11'] })
  const copy = await machine.backUp()
  await edit({ profiles: ['dual', 'server'], dnsNames: ['b.example', 'c.example'], ipAddresses: [] })

  await machine.restore(copy)
  const left = await machine.hub.store.identities.find(identity.id)
  assert.deepEqual(left?.profiles, ['dual'])
  assert.deepEqual([left?.names.dnsNames, left?.names.ipAddresses], [['b.example'], []])
  const adopted = (await adoptIdentity(machine.hub, actor, identity.id)).identity
  assert.deepEqual(adopted.profiles, ['dual', 'server'])
  assert.deepEqual(adopted.names.dnsNames, ['b.example', 'c.example'])
})

test('profiles are after a restore what their operator has made of them after the copy', async (t) => {
  const machine = await TimeMachine.start(t)
  for (const name of ['narrowed', 'gone', 'kept']) await addProfile(machine.hub, actor, { ...deviceProfile, name })
  const copy = await machine.backUp()
  const narrower = (before: Profile): Profile => ({ ...before, lifetimeSec: 3_600 })
  await changeProfile(machine.hub, actor, 'narrowed', narrower, null)
  await removeProfile(machine.hub, actor, 'gone')
  await addProfile(machine.hub, actor, { ...deviceProfile, name: 'young' })

  await machine.restore(copy)
  const { store } = machine.hub
  assert.equal((await profileNamed(store, 'narrowed'))?.lifetimeSec, 3_600)
  assert.equal(await profileNamed(store, 'gone'), null)
  assert.equal((await profileNamed(store, 'kept'))?.lifetimeSec, deviceProfile.lifetimeSec)
  assert.equal((await profileNamed(store, 'young'))?.name, 'young')
  assert.equal((await store.profiles.find('narrowed'))?.version, 2)
})
