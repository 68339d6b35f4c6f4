/** Rights of live sessions follow the policy and the registry, also when these cannot be read for a while. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identity } from '../../src/core/identity/identity.ts'
import type { TopicName } from '../../src/core/mqtt/topic.ts'
import { imaginedIdentity, usualSubject } from '../../src/core/policy/subjects.ts'
import { activatePolicy, addPolicy } from '../../src/hub/change-policy.ts'
import { openCurrentPolicy } from '../../src/hub/current-policy.ts'
import { followRights } from '../../src/hub/follow-rights.ts'
import type { HubEvent } from '../../src/hub/ports/events.ts'
import { hubParts, registered } from '../support/hub-parts.ts'

const event = (rest: object): HubEvent => ({ number: 1, atMs: 1, ...rest }) as HubEvent

test('what could not be read is read again until it can', async (t) => {
  const hub = await hubParts(t)
  const { identity } = await registered(hub, 'pump-7')
  let failures = 2
  const identities = {
    ...hub.store.identities,
    find: async (id: Identity['id']) => {
      if (failures-- > 0) throw new Error('the database is away')
      return hub.store.identities.find(id)
    },
  }
  const policy = await openCurrentPolicy(hub)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const told = Promise.withResolvers<string>()
  const rights = followRights(
    { store: { identities }, policy, log: hub.log },
    { refreshRights: (changed) => told.resolve(changed?.id ?? 'all') },
  )
  rights.noted(event({ type: 'identity-changed', identityId: identity.id }))
  for (let i = 0; i < 50; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    t.mock.timers.tick(1_000)
  }
  assert.equal(await told.promise, 'pump-7')
  assert.equal(hub.log.lines.filter(({ level }) => level === 'error').length, 2)
  rights.stop()
})

test('a version of the policy that cannot be read allows nothing, and the hub starts', async (t) => {
  const hub = await hubParts(t)
  await hub.store.write((tx) =>
    tx.policies.insert({
      ...{ state: 'active', createdAtMs: 1, createdBy: 'key:old', note: '', changedAtMs: 1, activatedAtMs: 1 },
      source: 'bindings: [{ roles: [gone-with-the-update], to: everyone }]',
    }),
  )
  const policy = await openCurrentPolicy(hub)
  const rights = policy.rightsOf(usualSubject(imaginedIdentity('pump-7')))
  assert.equal(rights.mayConnect(), false)
  assert.equal(rights.mayPublish('devices/pump-7/x' as TopicName), false)
  const { row } = await addPolicy(hub, hub.actor, {
    source: 'bindings: [{ roles: [own-topics], to: everyone }]',
    note: '',
  })
  await activatePolicy(hub, hub.actor, row.number)
  await policy.refresh()
  assert.equal(policy.rightsOf(usualSubject(imaginedIdentity('pump-7'))).mayConnect(), true)
})
