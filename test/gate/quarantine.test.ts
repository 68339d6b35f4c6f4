// needs: openssl
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pump, stranger } from './certificates.ts'
import { rawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

suite('a certificate in quarantine', { timeout: 20_000 }, () => {
  test('connects, speaks below its quarantine, and reaches nothing of its identity', async (t) => {
    const { admission, upstream, attempts, session } = await testGate(t)
    admission.admit(stranger, 'pump-7', { state: 'quarantined' })
    const client = await session(5, { clientId: 'c' }, stranger)
    assert.equal(admission.confirmations, 1)
    client.send({ cmd: 'publish', topic: 'devices/pump-7/x', payload: 'x', qos: 1, messageId: 1 })
    assert.equal((await client.next('puback')).reasonCode, 0x87)
    client.send({ cmd: 'publish', topic: 'quarantine/pump-7/x', payload: 'x', qos: 0 })
    const heard = await upstream.last.heard('publish')
    assert.ok(heard.cmd === 'publish' && heard.topic === 'quarantine/pump-7/x')
    assert.equal((await attempts.with('publish-denied')).identityId, 'pump-7')
  })

  test('takes no session over from its identity, and gives none up to it', async (t) => {
    const { gate, admission, upstream, session } = await testGate(t, { limits: { sessionsPerIdentityMax: 1 } })
    admission.admit(stranger, 'pump-7', { state: 'quarantined' })
    await session(5, { clientId: 'c' })
    const owners = upstream.last
    await session(5, { clientId: 'c' }, stranger)
    const held = upstream.last
    assert.equal(gate.sessionCount(), 2)
    assert.deepEqual(
      [owners, held].flatMap(({ received }) =>
        received.flatMap((packet) => (packet.cmd === 'connect' ? packet.clientId : [])),
      ),
      ['pump-7/c', 'quarantine:pump-7/c'],
    )
    assert.equal(owners.isClosed, false)
  })

  test('leaves its rights with the session when it is released, and the device comes back', async (t) => {
    const { gate, admission, session, attempts } = await testGate(t)
    admission.admit(stranger, 'pump-7', { state: 'quarantined' })
    const held = await session(5, {}, stranger)
    const owner = await session(5, { clientId: 'owner' })
    assert.equal(gate.closeCredential(stranger.fingerprint, 'quarantine-over'), 1)
    await held.next('disconnect')
    assert.match((await attempts.with('quarantine-over')).sentence, /released from quarantine/)
    assert.equal(gate.sessionCount(), 1)
    owner.send({ cmd: 'pingreq' })
    await owner.next('pingresp')
    admission.admit(stranger, 'pump-7')
    const back = await rawClient(gate.address.port, stranger)
    back.connect()
    assert.equal((await back.next('connack')).reasonCode, 0)
    assert.notEqual(pump.fingerprint, stranger.fingerprint)
  })
})
