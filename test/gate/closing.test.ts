// needs: openssl
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pump, stranger } from './certificates.ts'
import { rawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

suite('a revocation', { timeout: 20_000 }, () => {
  for (const version of [4, 5] as const) {
    test(`closes a session of version ${version} and its way to the broker at once`, async (t) => {
      const { gate, session, upstream, attempts } = await testGate(t)
      const client = await session(version)
      assert.equal(gate.sessionCount(), 1)
      assert.equal(gate.closeCredential(pump.fingerprint, 'certificate-revoked'), 1)
      assert.equal(upstream.last.isClosed, true)
      assert.equal(gate.sessionCount(), 0)
      if (version === 5) {
        const farewell = await client.next('disconnect')
        assert.equal(farewell.reasonCode, 0x87)
        assert.deepEqual(farewell.properties, { reasonString: 'revoked' })
      }
      await client.closed
      await attempts.with('certificate-revoked')
    })
  }

  test('takes the will with it: nothing is published in the name of a device that is good no more', async (t) => {
    for (const code of ['certificate-revoked', 'identity-disabled', 'identity-retired', 'password-ended'] as const) {
      const { gate, session, upstream } = await testGate(t)
      await session(5, { will: { topic: 'devices/pump-7/gone', payload: 'x', qos: 0, retain: false } })
      gate.closeIdentity('pump-7', code)
      assert.equal(upstream.last.received.at(-1)?.cmd, 'disconnect', code)
      assert.equal(upstream.last.isClosed, true)
    }
  })

  test('resets a client that does not read, and drops what waits for it', async (t) => {
    const { gate, session, upstream } = await testGate(t)
    const client = await session(5)
    client.socket.pause()
    const message = { cmd: 'publish', topic: 'devices/pump-7/x', payload: Buffer.alloc(100_000), qos: 0 }
    while (!upstream.last.isPaused) {
      upstream.last.say(message)
      await turn()
    }
    assert.equal(gate.closeIdentity('pump-7', 'identity-disabled'), 1)
    assert.equal(upstream.last.isClosed, true)
    client.socket.resume()
    const error = await client.closed
    assert.equal((error as NodeJS.ErrnoException | null)?.code, 'ECONNRESET')
  })

  test('that comes while the registry is asked about the same certificate is not lost', async (t) => {
    const { gate, port, admission, upstream, attempts } = await testGate(t)
    let release = () => {}
    admission.judgeGate = new Promise((resolve) => {
      release = resolve
    })
    const client = await rawClient(port, pump)
    client.connect()
    while (admission.judged.length === 0) await turn()
    // The registry has answered yes already; its answer is on the way.
    gate.closeCredential(pump.fingerprint, 'certificate-revoked')
    release()
    assert.equal((await client.next('connack')).reasonCode, 0x87)
    await attempts.with('certificate-revoked')
    assert.equal(upstream.connections.length, 0)
  })

  test('of the identity that comes while it is not yet known whose connection it is, is not lost either', async (t) => {
    const { gate, port, admission, upstream } = await testGate(t)
    let release = () => {}
    admission.judgeGate = new Promise((resolve) => {
      release = resolve
    })
    const client = await rawClient(port, pump)
    client.connect()
    while (admission.judged.length === 0) await turn()
    gate.closeIdentity('pump-8', 'identity-disabled')
    gate.closeIdentity('pump-7', 'identity-disabled')
    release()
    assert.deepEqual((await client.next('connack')).properties, { reasonString: 'disabled' })
    assert.equal(upstream.connections.length, 0)
  })

  test('that comes while the broker is asked ends the attempt and the way to the broker', async (t) => {
    const { gate, port, upstream } = await testGate(t)
    upstream.mute = new Set(['connect'])
    const client = await rawClient(port, pump)
    client.connect()
    while (upstream.connections.length === 0) await turn()
    gate.closeIdentity('pump-7', 'identity-disabled')
    assert.equal(upstream.last.isClosed, true)
    // It may have let the client in just now.
    assert.deepEqual(
      upstream.last.received.map(({ cmd }) => cmd),
      ['connect', 'disconnect'],
    )
    assert.equal((await client.next('connack')).reasonCode, 0x87)
  })

  test('that comes together with the answer of the broker ends the attempt, and the broker forgets the will', async (t) => {
    const { gate, port, upstream } = await testGate(t)
    upstream.mute = new Set(['connect'])
    const client = await rawClient(port, pump)
    client.connect({ will: { topic: 'devices/pump-7/gone', payload: 'x', qos: 0, retain: false } })
    while (upstream.connections.length === 0) await turn()
    upstream.last.say({ cmd: 'connack', sessionPresent: false, returnCode: 0, reasonCode: 0 })
    gate.closeIdentity('pump-7', 'identity-disabled')
    assert.equal((await client.next('connack')).reasonCode, 0x87)
    assert.equal(upstream.last.received.at(-1)?.cmd, 'disconnect')
    assert.equal(upstream.last.isClosed, true)
    assert.equal(gate.sessionCount(), 0)
  })

  test('leaves other identities alone', async (t) => {
    const { gate, session, admission } = await testGate(t)
    admission.admit(stranger, 'pump-8')
    const other = await session(5, {}, stranger)
    await session(5)
    assert.equal(gate.closeIdentity('pump-7', 'identity-disabled'), 1)
    other.send({ cmd: 'pingreq' })
    await other.next('pingresp')
    assert.equal(gate.sessionCount(), 1)
  })
})

suite('a session ends', { timeout: 20_000 }, () => {
  test('when the same client id of the same identity connects again, before the broker hears of it', async (t) => {
    const { session, upstream, attempts, gate } = await testGate(t)
    const first = await session(5)
    const [old] = upstream.connections
    const second = await session(5)
    assert.equal(old?.isClosed, true)
    assert.equal(old?.received.length, 1, 'its will stays')
    assert.equal((await first.next('disconnect')).reasonCode, 0x8e)
    await first.closed
    await attempts.with('session-taken-over')
    assert.equal(gate.sessionCount(), 1)
    second.send({ cmd: 'pingreq' })
    await second.next('pingresp')
  })

  test('but not when another identity uses the same client id', async (t) => {
    const { session, gate, admission } = await testGate(t)
    admission.admit(stranger, 'pump-8')
    await session(5)
    await session(5, {}, stranger)
    assert.equal(gate.sessionCount(), 2)
  })

  test('when its certificate ends', async (t) => {
    const { session, admission, clock, attempts } = await testGate(t)
    admission.admit(pump, 'pump-7', { notAfterSec: Math.floor(clock.nowMs() / 1000) })
    const client = await session(5)
    assert.equal((await client.next('disconnect')).reasonCode, 0x87)
    await attempts.with('certificate-expired')
  })

  test('after one and a half keep-alives of silence, not earlier (MQTT-3.1.2-22)', async (t) => {
    const { session, attempts } = await testGate(t)
    const client = await session(5, { keepalive: 1 })
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    client.send({ cmd: 'pingreq' })
    const pinged = performance.now()
    assert.equal((await client.next('disconnect')).reasonCode, 0x8d)
    assert.ok(performance.now() - pinged >= 1_450)
    await attempts.with('keep-alive-timeout')
  })

  test('when the broker fails, with a reason to come back', async (t) => {
    const { session, upstream } = await testGate(t)
    const client = await session(5)
    upstream.last.listener.onClose(true)
    assert.equal((await client.next('disconnect')).reasonCode, 0x89)
    await client.closed
  })

  test('with its DISCONNECT, which the broker gets before its connection is closed', async (t) => {
    const { session, upstream, gate } = await testGate(t)
    const client = await session(5)
    client.send({ cmd: 'disconnect', reasonCode: 0 })
    await upstream.last.heard('disconnect')
    assert.equal(upstream.last.isClosed, false)
    await client.closed
    assert.equal(gate.sessionCount(), 0)
  })

  test('without one when the connection is lost, so that the broker sends the will', async (t) => {
    const { session, upstream } = await testGate(t)
    const client = await session(5)
    client.socket.destroy()
    while (!upstream.last.isClosed) await turn()
    assert.equal(
      upstream.last.received.some(({ cmd }) => cmd === 'disconnect'),
      false,
    )
  })

  test('when the client does not read and its buffer is full', async (t) => {
    const { session, upstream, attempts } = await testGate(t, { limits: { clientBufferBytesMax: 200_000 } })
    const client = await session(5)
    client.socket.pause()
    const message = { cmd: 'publish', topic: 'devices/pump-7/x', payload: Buffer.alloc(100_000), qos: 0 }
    while (!upstream.last.isClosed) {
      upstream.last.say(message)
      await turn()
    }
    await attempts.with('slow-reader')
  })

  test('when the client leaves a full buffer unread for too long', async (t) => {
    const { session, upstream, attempts } = await testGate(t, { limits: { clientStallMs: 100 } })
    const client = await session(5)
    client.socket.pause()
    const message = { cmd: 'publish', topic: 'devices/pump-7/x', payload: Buffer.alloc(100_000), qos: 0 }
    while (!upstream.last.isPaused) {
      upstream.last.say(message)
      await turn()
    }
    await attempts.with('slow-reader')
    assert.equal(upstream.last.isClosed, true)
  })

  test('when the hub stops: 0x8B, and the port is closed', async (t) => {
    const { gate, session, port } = await testGate(t)
    const client = await session(5)
    const old = await session(4, { clientId: 'old' })
    await gate.stop()
    assert.equal((await client.next('disconnect')).reasonCode, 0x8b)
    await Promise.all([client.closed, old.closed])
    await assert.rejects(rawClient(port, pump))
  })
})
