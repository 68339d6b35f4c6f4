// needs: openssl
/** Wills that wait in the broker while the right to leave them is lost. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { limits } from '../../src/core/limits.ts'
import type { FakeUpstream } from './fake-upstream.ts'
import { all, allow, changing, connects, policyOf } from './policies.ts'
import { type TestGate, testGate } from './test-gate.ts'

const withWills = policyOf([connects, allow(all, ['own/#', 'line/#'])])
const withoutWills = policyOf([connects, allow(['publish', 'subscribe', 'receive'], ['own/#', 'line/#'])])

function leaving(delaySec: number, more: object = {}) {
  return {
    ...{ clean: false, properties: { sessionExpiryInterval: 600 } },
    will: { topic: 'own/gone', payload: 'x', qos: 0, retain: false, properties: { willDelayInterval: delaySec } },
    ...more,
  }
}

/** A session whose client is lost. */
async function lost({ session, gate }: TestGate, fields: object, signal: AbortSignal): Promise<void> {
  const client = await session(5, fields)
  client.socket.destroy()
  while (gate.sessionCount() > 0) await turn(undefined, { signal })
}

async function connections(upstream: FakeUpstream, count: number, signal: AbortSignal): Promise<void> {
  while (upstream.connections.length < count) await turn(undefined, { signal })
}

/** What came on the newest connection, which must have been a visit that takes a will back. */
async function assertTakenBack({ upstream }: TestGate, clientId = 'main'): Promise<void> {
  await upstream.last.heard('disconnect')
  const [connect, disconnect] = upstream.last.received
  assert.ok(connect?.cmd === 'connect' && disconnect?.cmd === 'disconnect')
  assert.deepEqual([connect.clientId, connect.clean, connect.will], [`pump-7/${clientId}`, false, undefined])
  assert.equal(connect.properties?.sessionExpiryInterval, 600)
  // 0, as an ordinary end has it.
  assert.equal(disconnect.reasonCode ?? 0, 0)
  assert.equal(upstream.last.isClosed, true)
}

suite('a will that waits in the broker', { timeout: 20_000 }, () => {
  for (const [what, lose] of [
    ['its identity is disabled', ({ gate }: TestGate) => gate.closeIdentity('pump-7', 'identity-disabled')],
    [
      'its certificate is revoked',
      ({ gate }: TestGate) => gate.closeCredential(gate.liveFingerprints()[0] ?? '', 'certificate-revoked'),
    ],
  ] as const) {
    test(`is taken back when ${what}`, async (t) => {
      const bed = await testGate(t, changing(withWills).options)
      await lost(bed, leaving(300), t.signal)
      assert.equal(lose(bed), 1)
      await connections(bed.upstream, 2, t.signal)
      await assertTakenBack(bed)
      assert.deepEqual(bed.gate.liveFingerprints(), [])
    })
  }

  test('is taken back when the policy does not allow it any more, and by no other change', async (t) => {
    const { held, options } = changing(withWills)
    const bed = await testGate(t, options)
    await lost(bed, leaving(300), t.signal)
    bed.gate.refreshRights()
    assert.equal(bed.upstream.connections.length, 1)
    held.policy = withoutWills
    bed.gate.refreshRights()
    await connections(bed.upstream, 2, t.signal)
    await assertTakenBack(bed)
  })

  test('is taken back also where the right was lost in the moment in which its client was', async (t) => {
    const { held, options } = changing(withWills)
    const bed = await testGate(t, options)
    const client = await bed.session(5, leaving(300))
    held.policy = withoutWills
    client.socket.destroy()
    await connections(bed.upstream, 2, t.signal)
    await assertTakenBack(bed)
  })

  test('is taken back once a broker that is away has come back', async (t) => {
    const bed = await testGate(t, changing(withWills).options)
    await lost(bed, leaving(300), t.signal)
    bed.upstream.isUp = false
    bed.gate.closeIdentity('pump-7', 'identity-disabled')
    await turn()
    assert.equal(bed.upstream.connections.length, 1)
    bed.upstream.isUp = true
    await connections(bed.upstream, 2, t.signal)
    await assertTakenBack(bed)
  })

  test('is the broker’s again when its client is back', async (t) => {
    const { held, options } = changing(withWills)
    const bed = await testGate(t, options)
    await lost(bed, leaving(300), t.signal)
    const client = await bed.session(5, { clean: false, properties: { sessionExpiryInterval: 600 } })
    held.policy = withoutWills
    bed.gate.refreshRights()
    client.send({ cmd: 'pingreq' })
    await client.next('pingresp')
    assert.equal(bed.upstream.connections.length, 2)
    assert.equal(bed.gate.sessionCount(), 1)
  })

  test('counts also where the client said DISCONNECT and wants it to be sent', async (t) => {
    const bed = await testGate(t, changing(withWills).options)
    for (const reasonCode of [0, 4]) {
      const client = await bed.session(5, leaving(300, { clientId: `with-${reasonCode}` }))
      client.send({ cmd: 'disconnect', reasonCode })
      await client.closed
    }
    assert.equal(bed.gate.closeIdentity('pump-7', 'identity-disabled'), 1)
    await connections(bed.upstream, 3, t.signal)
    await assertTakenBack(bed, 'with-4')
  })

  test('is watched for as long as the DISCONNECT has the session last, which may be longer than the CONNECT had it', async (t) => {
    const bed = await testGate(t, changing(withWills).options)
    for (const [clientId, connected, disconnected] of [
      ['ended', 600, 0],
      ['prolonged', 1, 600],
    ] as const) {
      const client = await bed.session(5, leaving(300, { clientId, properties: { sessionExpiryInterval: connected } }))
      client.send({ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: disconnected } })
      await client.closed
    }
    assert.equal(bed.gate.closeIdentity('pump-7', 'identity-disabled'), 1)
    await connections(bed.upstream, 3, t.signal)
    await assertTakenBack(bed, 'prolonged')
  })

  test('is not watched where it is sent at once', async (t) => {
    const bed = await testGate(t, changing(withWills).options)
    await lost(bed, leaving(0), t.signal)
    await lost(bed, leaving(300, { properties: { sessionExpiryInterval: 0 } }), t.signal)
    assert.equal(bed.gate.closeIdentity('pump-7', 'identity-disabled'), 0)
  })

  test('is one of few of an identity: of more than that the oldest is taken back', async (t) => {
    const bed = await testGate(t, changing(withWills).options)
    const most = limits.sessionsPerIdentityMax
    for (let i = 0; i <= most; i++) await lost(bed, leaving(300, { clientId: `c${i}` }), t.signal)
    await connections(bed.upstream, most + 2, t.signal)
    await assertTakenBack(bed, 'c0')
  })

  test('makes room by another one where the broker has not answered yet about the oldest', async (t) => {
    const bed = await testGate(t, changing(withWills).options)
    const most = limits.sessionsPerIdentityMax
    for (let i = 0; i < most; i++) await lost(bed, leaving(300, { clientId: `c${i}` }), t.signal)
    const clients = [
      await bed.session(5, leaving(300, { clientId: 'late-1' })),
      await bed.session(5, leaving(300, { clientId: 'late-2' })),
    ]
    bed.upstream.mute = new Set(['connect'])
    for (const { socket } of clients) socket.destroy()
    await connections(bed.upstream, most + 4, t.signal)
    const visits = bed.upstream.connections.slice(-2).map(({ received: [connect] }) => connect)
    assert.deepEqual(
      visits.map((visit) => visit?.cmd === 'connect' && visit.clientId),
      ['pump-7/c0', 'pump-7/c1'],
    )
  })
})
