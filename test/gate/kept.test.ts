// needs: openssl
/** Sessions that the broker keeps while their clients are away, and rights that change meanwhile. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { all, allow, changing, connects, policyOf } from './policies.ts'
import type { RawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

const wide = policyOf([connects, allow(all, ['own/#', 'line/#'])])
const narrow = policyOf([connects, allow(all, ['own/#'])])
const keeps = { 4: { clean: false }, 5: { clean: false, properties: { sessionExpiryInterval: 60 } } }

/** Asks for a turn of the gate, so that all before it has been seen. */
async function settle(client: RawClient): Promise<void> {
  client.send({ cmd: 'pingreq' })
  await client.next('pingresp')
}

async function leave(client: RawClient): Promise<void> {
  client.send({ cmd: 'disconnect' })
  client.socket.end()
  await client.closed
}

for (const version of [4, 5] as const) {
  suite(`a client of version ${version} that comes back to a session`, { timeout: 20_000 }, () => {
    const kept = keeps[version]

    test('does not find the subscriptions that are not allowed any more, nor what waits for it because of them', async (t) => {
      const { held, options } = changing(wide)
      const { session, upstream, denials } = await testGate(t, options)
      const before = await session(version, kept)
      const subscriptions = ['own/#', 'line/#', '$share/g/line/+'].map((topic) => ({ topic, qos: 1 }))
      before.send({ cmd: 'subscribe', messageId: 1, subscriptions })
      await before.next('suback')
      await leave(before)

      // It may read there still, and subscribe no more.
      held.policy = policyOf([connects, allow(all, ['own/#']), allow(['receive'], ['line/#'])])
      upstream.sessionPresent = true
      const after = await session(version, kept)
      const gone = await upstream.last.heard('unsubscribe')
      assert.ok(gone.cmd === 'unsubscribe')
      assert.deepEqual(gone.unsubscriptions, ['line/#', '$share/g/line/+'])
      assert.deepEqual(denials, ['subscribe-denied'])
      upstream.last.say({ cmd: 'publish', topic: 'line/3', payload: 'x', qos: 1, messageId: 5 })
      upstream.last.say({ cmd: 'publish', topic: 'own/3', payload: 'x', qos: 1, messageId: 6 })
      assert.equal((await after.next('publish')).topic, 'own/3')
      assert.equal(((await upstream.last.heard('puback')) as { messageId?: number }).messageId, 5)
    })

    test('may not add subscriptions beyond its limit to those that are there', async (t) => {
      const { options } = changing(policyOf([connects, allow(all, ['own/#'])], { subscriptionsMax: 2 }))
      const { session, upstream } = await testGate(t, options)
      const before = await session(version, kept)
      before.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'own/1', qos: 1 }] })
      await before.next('suback')
      await leave(before)

      upstream.sessionPresent = true
      const after = await session(version, kept)
      const subscriptions = ['own/1', 'own/2', 'own/3'].map((topic) => ({ topic, qos: 1 }))
      after.send({ cmd: 'subscribe', messageId: 1, subscriptions })
      assert.deepEqual((await after.next('suback')).granted, [1, 1, version === 5 ? 0x97 : 0x80])
    })

    test('gets nothing by a filter that is not allowed, also where the gate has not seen the session before', async (t) => {
      const { options } = changing(policyOf([connects, allow(all, ['own/#']), allow(['receive'], ['line/#'])]))
      const { session, upstream } = await testGate(t, options)
      upstream.sessionPresent = true
      const client = await session(version, kept)
      upstream.last.say({ cmd: 'publish', topic: 'line/3', payload: 'x', qos: 0 })
      upstream.last.say({ cmd: 'publish', topic: 'own/3', payload: 'x', qos: 0 })
      assert.equal((await client.next('publish')).topic, 'own/3')
    })

    test('finds it empty where a message waits for its release that is not allowed any more', async (t) => {
      const { held, options } = changing(wide)
      const { session, upstream, attempts } = await testGate(t, options)
      const before = await session(version, kept)
      before.send({ cmd: 'publish', topic: 'line/1', payload: 'x', qos: 2, messageId: 7 })
      await before.next('pubrec')
      before.socket.destroy()
      await attempts.with(null)
      await before.closed

      held.policy = narrow
      await session(version, kept)
      const [, dropped, taken] = upstream.connections
      const [connect, ...rest] = dropped?.received ?? []
      assert.ok(connect?.cmd === 'connect')
      assert.equal(connect.clean, true)
      assert.equal(connect.properties?.sessionExpiryInterval, undefined)
      assert.deepEqual(
        rest.map(({ cmd }) => cmd),
        ['disconnect'],
      )
      const again = taken?.received[0]
      assert.ok(again?.cmd === 'connect')
      assert.equal(again.clean, false)
      assert.match((await attempts.with('publish-denied')).sentence, /earlier connection was dropped.*"line\/1"/)
    })

    test('releases what may still be published', async (t) => {
      const { options } = changing(wide)
      const { session, upstream } = await testGate(t, options)
      const before = await session(version, kept)
      before.send({ cmd: 'publish', topic: 'line/1', payload: 'x', qos: 2, messageId: 7 })
      await before.next('pubrec')
      before.socket.destroy()
      await before.closed

      upstream.sessionPresent = true
      const after = await session(version, kept)
      after.send({ cmd: 'pubrel', messageId: 7 })
      await after.next('pubcomp')
      assert.equal(upstream.connections.length, 2)
    })

    test('ends where a message of an earlier connection loses its right before it is released', async (t) => {
      const { held, options } = changing(wide)
      const { gate, session, upstream } = await testGate(t, options)
      const before = await session(version, kept)
      before.send({ cmd: 'publish', topic: 'line/1', payload: 'x', qos: 2, messageId: 7 })
      await before.next('pubrec')
      before.socket.destroy()
      await before.closed

      upstream.sessionPresent = true
      await settle(await session(version, kept))
      held.policy = narrow
      gate.refreshRights()
      assert.equal(gate.sessionCount(), 0)
    })
  })
}

test('a session that ended with its connection is not remembered', { timeout: 20_000 }, async (t) => {
  const { held, options } = changing(wide)
  const { session, upstream } = await testGate(t, options)
  const before = await session(5, { clean: true })
  before.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'line/#', qos: 1 }] })
  await before.next('suback')
  await leave(before)
  held.policy = narrow
  await settle(await session(5, { clean: true }))
  assert.deepEqual(
    upstream.last.received.map(({ cmd }) => cmd),
    ['connect', 'pingreq'],
  )
})
