import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IdentityId, parseIdentityId } from '../../src/core/identity/id.ts'
import { limits } from '../../src/core/limits.ts'
import type { HubEvent } from '../../src/hub/ports/events.ts'
import { VerifierChanges } from '../../src/hub/verifiers/changes.ts'

const shop = parseIdentityId('shop')
const never = new AbortController().signal
let number = 0

function changed(id: string): HubEvent {
  return { type: 'identity-changed', identityId: parseIdentityId(id), number: ++number, atMs: 0 }
}

function from(changes: VerifierChanges, after: string | null, { waitMs = 0, asker = shop as IdentityId } = {}) {
  return changes.since(after, waitMs, asker, never)
}

test('who asks for the first time, or comes with a position of another process, may know nothing any more', async () => {
  const changes = new VerifierChanges('a')
  const first = await from(changes, null)
  assert.deepEqual(first, { position: 'a.0', changed: null })
  for (const strange of ['b.0', 'a.7', 'a.', 'a.-1', 'a.1e0', '', 'a.0.0x', '💥']) {
    const { changed: ids } = await from(changes, strange, { waitMs: 60_000 })
    assert.equal(ids, null, strange)
  }
})

test('changes are told once, each identity once, and a question without any waits for one', async () => {
  const changes = new VerifierChanges('a')
  const { position } = await from(changes, null)
  for (const id of ['pump-7', 'pump-8', 'pump-7']) changes.noted(changed(id))
  const told = await from(changes, position)
  assert.deepEqual(told, { position: 'a.3', changed: ['pump-7', 'pump-8'] })
  const waits = from(changes, told.position, { waitMs: 60_000 })
  assert.equal(changes.waiting(), 1)
  changes.noted(changed('pump-9'))
  assert.deepEqual((await waits).changed, ['pump-9'])
  assert.equal(changes.waiting(), 0)
})

test('a question that waits in vain says that nothing has changed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const changes = new VerifierChanges('a')
  const waits = from(changes, 'a.0', { waitMs: 20_000 })
  t.mock.timers.tick(20_000)
  assert.deepEqual(await waits, { position: 'a.0', changed: [] })
})

test('what concerns everybody, and more than an answer holds, is told as everything', async () => {
  const changes = new VerifierChanges('a')
  changes.noted({ type: 'policy-activated', version: 1, source: '', number: ++number, atMs: 0 })
  assert.equal((await from(changes, 'a.0')).changed, null)
  for (let i = 0; i <= limits.verifyChangedMax; i++) changes.noted(changed(`pump-${i}`))
  assert.equal((await from(changes, 'a.1')).changed, null)
  assert.equal((await from(changes, 'a.2')).changed?.length, limits.verifyChangedMax)
})

test('who was away for longer than is remembered asks everything anew, also while he waited', async () => {
  const changes = new VerifierChanges('a')
  for (let i = 0; i <= limits.verifyChangesKept; i++) changes.noted(changed('pump-7'))
  assert.equal((await from(changes, 'a.0')).changed, null)
  assert.deepEqual((await from(changes, `a.${limits.verifyChangesKept}`)).changed, ['pump-7'])
})

test('events that change nothing for servers wake nobody', async () => {
  const changes = new VerifierChanges('a')
  changes.noted({ type: 'identity-registered', identityId: parseIdentityId('pump-7'), number: ++number, atMs: 0 })
  assert.equal(changes.position(), 'a.0')
})

test('questions that wait are counted for each service and in all, and who has gone counts no more', async () => {
  const changes = new VerifierChanges('a', limits.verifyPollsOfServiceMax + 1)
  const gone = new AbortController()
  const first = changes.since('a.0', 60_000, shop, gone.signal)
  const rest = Array.from({ length: limits.verifyPollsOfServiceMax - 1 }, () =>
    from(changes, 'a.0', { waitMs: 60_000 }),
  )
  await assert.rejects(from(changes, 'a.0', { waitMs: 60_000 }), { code: 'verify-polls-too-many' })
  const other = from(changes, 'a.0', { waitMs: 60_000, asker: parseIdentityId('other') })
  await assert.rejects(from(changes, 'a.0', { waitMs: 60_000, asker: parseIdentityId('third') }), {
    code: 'verify-polls-too-many',
  })
  gone.abort()
  await first
  rest.push(from(changes, 'a.0', { waitMs: 60_000 }))
  changes.stop()
  await Promise.all([...rest, other])
  assert.deepEqual(
    await from(changes, 'a.0', { waitMs: 60_000 }),
    { position: 'a.0', changed: [] },
    'nobody waits any more',
  )
})
