/** What happens to identities while nobody knows yet whose a connection is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identity } from '../../src/core/identity/identity.ts'
import { LiveConnections } from '../../src/gate/live-connections.ts'
import { MissedChanges } from '../../src/gate/missed-changes.ts'
import { fakeIdentity } from '../contract/store-fakes.ts'

const connections = (missedIdentitiesMax = 100) =>
  new LiveConnections({ sessionsMax: 100, sessionsPerIdentityMax: 10, missedIdentitiesMax })

const version = (id: string, number: number): Identity => ({ ...fakeIdentity(id), version: number })

/** What a session would be told of its rights. */
function toldOf(live: ReturnType<LiveConnections['open']>): (number | null)[] {
  const told: (number | null)[] = []
  live.onRefresh((identity) => told.push(identity?.version ?? null))
  return told
}

test('a closing of an identity reaches its connection when it is known whose it is, and no other', () => {
  const live = connections()
  const [before, other] = [live.open(null), live.open(null)]
  assert.equal(live.closeIdentity('pump-7', 'identity-disabled'), 0)
  const after = live.open(null)
  live.identify(other, 'pump-8')
  live.identify(before, 'pump-7')
  live.identify(after, 'pump-7')
  assert.deepEqual(
    [before, other, after].map(({ closedWith }) => closedWith),
    ['identity-disabled', null, null],
  )
})

test('the latest closing is the one that is told', () => {
  const live = connections()
  const one = live.open(null)
  live.closeIdentity('pump-7', 'identity-disabled')
  live.closeIdentity('pump-7', 'identity-retired')
  live.identify(one, 'pump-7')
  assert.equal(one.closedWith, 'identity-retired')
})

test('a changed identity is told to its own connection alone, in its latest version, whichever was read last', () => {
  const live = connections()
  const [own, other] = [live.open(null), live.open(null)]
  live.refresh(version('pump-7', 3))
  live.refresh(version('pump-7', 2))
  live.identify(own, 'pump-7')
  live.identify(other, 'pump-8')
  assert.deepEqual(toldOf(own), [3])
  assert.deepEqual(toldOf(other), [])
})

test('a change between the name and the session is kept for the session, as is a change of the policy', () => {
  const live = connections()
  const [one, two] = [live.open(null), live.open(null)]
  live.identify(one, 'pump-7')
  live.refresh(version('pump-7', 5))
  live.refresh(null)
  live.identify(two, 'pump-8')
  assert.deepEqual(toldOf(one), [5])
  assert.deepEqual(toldOf(two), [null])
})

test('a connection that came after a change asks for later ones only', () => {
  const missed = new MissedChanges(10)
  missed.noteChanged(version('pump-7', 1))
  missed.noteClosed('pump-7', 'identity-disabled')
  assert.deepEqual(missed.since(0, 'pump-7'), { closed: 'identity-disabled', identity: version('pump-7', 1) })
  assert.deepEqual(missed.since(1, 'pump-7'), { closed: 'identity-disabled', identity: null })
  assert.deepEqual(missed.since(2, 'pump-7'), { closed: null, identity: null })
})

test('changes are kept once for all connections, and no longer than the oldest of them needs', () => {
  const missed = new MissedChanges(1_000)
  for (let n = 1; n <= 500; n++) missed.noteChanged(version(`pump-${n % 100}`, n))
  assert.equal(missed.size, 100)
  missed.forget(450)
  assert.equal(missed.size, 50)
  missed.forget(missed.last)
  assert.equal(missed.size, 0)
})

test('who has waited through more changes than are kept is sent away to come back', () => {
  const live = connections(3)
  const old = live.open(null)
  live.refresh(version('a', 1))
  const young = live.open(null)
  for (const id of ['b', 'c', 'd']) live.refresh(version(id, 1))
  live.identify(old, 'pump-7')
  live.identify(young, 'd')
  assert.equal(old.closedWith, 'store-unavailable')
  assert.equal(young.closedWith, null)
  assert.deepEqual(toldOf(young), [1])
})

test('nothing is kept of what happens while everybody is known', () => {
  const live = connections(1)
  const one = live.open(null)
  live.identify(one, 'pump-7')
  for (const id of ['a', 'b', 'c']) live.closeIdentity(id, 'identity-disabled')
  const late = live.open(null)
  live.identify(late, 'c')
  assert.equal(late.closedWith, null)
})
