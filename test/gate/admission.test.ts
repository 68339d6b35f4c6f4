// needs: openssl
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { pump, stranger } from './certificates.ts'
import { rawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

suite('a client that may not come in', { timeout: 20_000 }, () => {
  test('and has no certificate hears a general sentence; the attempt has the cause and the client id', async (t) => {
    const { port, attempts, upstream } = await testGate(t)
    const client = await rawClient(port, null)
    client.connect({ clientId: 'nobody' })
    const connack = await client.next('connack')
    assert.equal(connack.reasonCode, 0x87)
    assert.deepEqual(connack.properties, { reasonString: 'not accepted by this hub; its operator can see why' })
    await client.closed
    const attempt = await attempts.with('certificate-missing')
    assert.equal(attempt.clientId, 'nobody')
    assert.equal(attempt.mqttVersion, '5')
    assert.equal(attempt.sentence, 'certificate-missing in full')
    assert.equal(upstream.connections.length, 0)
  })

  test('is told by a return code under MQTT 3.1.1', async (t) => {
    const { port } = await testGate(t)
    const client = await rawClient(port, stranger, 4)
    client.connect()
    assert.equal((await client.next('connack')).returnCode, 5)
    await client.closed
  })

  test('because its certificate was revoked hears that word alone', async (t) => {
    const { port, admission } = await testGate(t)
    admission.refuse(pump, 'certificate-revoked', 'revoked on Monday by Ann for keyCompromise')
    const client = await rawClient(port, pump)
    client.connect()
    assert.deepEqual((await client.next('connack')).properties, { reasonString: 'revoked' })
  })

  test('because its certificate has expired hears all of it, unless its packets must be shorter', async (t) => {
    const { port, admission } = await testGate(t)
    admission.refuse(pump, 'certificate-expired', 'the certificate of pump-7 ended 3 days ago')
    const client = await rawClient(port, pump)
    client.connect()
    assert.deepEqual((await client.next('connack')).properties, {
      reasonString: 'HF-2106 the certificate of pump-7 ended 3 days ago',
    })
    const small = await rawClient(port, pump)
    small.connect({ properties: { maximumPacketSize: 20 } })
    assert.equal((await small.next('connack')).properties, undefined)
  })

  test('and closes before CONNECT leaves the cause of its certificate', async (t) => {
    const { port, attempts } = await testGate(t)
    const client = await rawClient(port, stranger)
    client.socket.end()
    await attempts.with('certificate-foreign-authority')
  })

  test('on a resumed TLS session is judged again', async (t) => {
    const { port, admission, attempts } = await testGate(t, { sessionTickets: true })
    const first = await rawClient(port, pump)
    const ticket = new Promise<Buffer>((resolve) => first.socket.once('session', resolve))
    first.connect()
    await first.next('connack')
    const session = await ticket
    first.socket.destroy()
    admission.refuse(pump, 'certificate-revoked', 'revoked')
    const second = await rawClient(port, pump, 5, { session })
    assert.equal(second.socket.isSessionReused(), true)
    second.connect()
    assert.equal((await second.next('connack')).reasonCode, 0x87)
    await attempts.with('certificate-revoked')
    assert.deepEqual(admission.judged, [pump.fingerprint, pump.fingerprint])
  })

  test('cannot resume where tickets are off', async (t) => {
    const { port } = await testGate(t)
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = await rawClient(port, pump, 5, { maxVersion })
      first.connect()
      await first.next('connack')
      const session = first.socket.getSession()
      first.socket.destroy()
      const second = await rawClient(port, pump, 5, { maxVersion, ...(session === undefined ? {} : { session }) })
      assert.equal(second.socket.isSessionReused(), false)
      second.socket.destroy()
    }
  })
})

suite('a CONNECT', { timeout: 20_000 }, () => {
  test('that does not come in time ends the connection', async (t) => {
    const { port, attempts } = await testGate(t, { limits: { connectMs: 50 } })
    const client = await rawClient(port, pump)
    await client.closed
    assert.equal((await attempts.with('connect-timeout')).identityId, 'pump-7')
  })

  test('that is not MQTT is refused at its first byte', async (t) => {
    const { port, attempts } = await testGate(t)
    const client = await rawClient(port, pump)
    client.socket.write('GET /')
    await client.closed
    assert.match((await attempts.with('connect-malformed')).sentence, /0x47/)
  })

  test('that is too large is refused from its length alone', async (t) => {
    const { port, attempts } = await testGate(t)
    const client = await rawClient(port, pump)
    client.socket.write(Buffer.from('10ffff0300044d51545405', 'hex'))
    assert.equal((await client.next('connack')).reasonCode, 0x95)
    await attempts.with('connect-too-large')
  })

  test('of a level that there is not is answered with return code 1', async (t) => {
    const { port, attempts } = await testGate(t)
    const client = await rawClient(port, pump, 4)
    const name = Buffer.from('MQIsdp')
    const rest = Buffer.concat([Buffer.of(0, 6), name, Buffer.of(2, 2, 0, 0, 0, 1), Buffer.from('c')])
    client.socket.write(Buffer.concat([Buffer.of(0x10, rest.length), rest]))
    assert.equal((await client.next('connack')).returnCode, 1)
    assert.equal((await attempts.with('protocol-version-unsupported')).mqttVersion, '3.1')
  })

  test('with a will outside the rights is refused', async (t) => {
    const { port, attempts, upstream } = await testGate(t)
    const client = await rawClient(port, pump)
    client.connect({ will: { topic: 'devices/pump-8/x', payload: Buffer.from('x'), qos: 0, retain: false } })
    assert.equal((await client.next('connack')).reasonCode, 0x87)
    await attempts.with('will-denied')
    assert.equal(upstream.connections.length, 0)
  })

  test('with a bad client id is refused as such', async (t) => {
    const { port, attempts } = await testGate(t)
    const client = await rawClient(port, pump)
    client.connect({ clientId: 'a\nb' })
    assert.equal((await client.next('connack')).reasonCode, 0x85)
    await attempts.with('client-id-invalid')
  })

  test('without a client id is given one, without the identity in front', async (t) => {
    const { port, upstream } = await testGate(t)
    const client = await rawClient(port, pump)
    client.connect({ clientId: '' })
    const { properties } = await client.next('connack')
    const { assignedClientIdentifier } = properties as { assignedClientIdentifier: string }
    assert.match(assignedClientIdentifier, /^[0-9a-f]{16}$/)
    const packet = await upstream.last.heard('connect')
    assert.equal(packet.cmd === 'connect' && packet.clientId, `pump-7/${assignedClientIdentifier}`)
  })

  test('reaches the broker with the identity in front of the client id and without user name and password', async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    await session(5, { clientId: 'a', username: 'u', password: 'secret', properties: { topicAliasMaximum: 9 } })
    const packet = (await upstream.last.heard('connect')) as unknown as Record<string, unknown>
    assert.equal(packet.clientId, 'pump-7/a')
    assert.equal(packet.username, undefined)
    assert.equal(packet.password, undefined)
    assert.equal(packet.properties, undefined)
    const attempt = await attempts.with(null)
    assert.equal(attempt.outcome, 'admitted')
    assert.equal(attempt.stage, 'session')
    assert.match(attempt.sentence, /^pump-7 connected with certificate 3f00…, valid until 2096-/)
  })

  test('is answered with what the gate takes: the largest packet, messages on their way, topic aliases', async (t) => {
    const { port } = await testGate(t)
    const client = await rawClient(port, pump)
    client.connect()
    const { properties } = await client.next('connack')
    assert.deepEqual(properties, { maximumPacketSize: 256 * 1024, receiveMaximum: 1_024, topicAliasMaximum: 16 })
  })

  test('is answered by nothing longer than the client takes (MQTT-3.1.2-24)', async (t) => {
    const { port, gate, upstream, attempts } = await testGate(t)
    const client = await rawClient(port, pump)
    client.connect({ properties: { maximumPacketSize: 10 } })
    const connack = await client.next('connack')
    assert.deepEqual([connack.reasonCode, connack.properties], [0x95, undefined])
    await attempts.with('packet-too-large')
    assert.equal(upstream.last.isClosed, true)
    assert.equal(gate.sessionCount(), 0)
  })

  test('is refused while the broker is not there, refuses, or does not answer', async (t) => {
    const { port, upstream, attempts } = await testGate(t, { limits: { upstreamConnectMs: 50 } })
    upstream.isUp = false
    const first = await rawClient(port, pump)
    first.connect()
    assert.equal((await first.next('connack')).reasonCode, 0x88)
    upstream.isUp = true
    upstream.mute = new Set(['connect'])
    const second = await rawClient(port, pump, 4)
    second.connect()
    assert.equal((await second.next('connack')).returnCode, 3)
    assert.equal(upstream.last.isClosed, true)
    const third = await rawClient(port, pump)
    third.connect({ clientId: 'third' })
    while (upstream.connections.length < 2) await new Promise((resolve) => setImmediate(resolve))
    upstream.last.say({ cmd: 'connack', reasonCode: 0x8a, sessionPresent: false })
    assert.equal((await third.next('connack')).reasonCode, 0x88)
    assert.match((await attempts.with('upstream-refused')).sentence, /0x8a/)
  })

  test('of a pending certificate waits until its first use is on disk', async (t) => {
    const { port, admission, upstream } = await testGate(t)
    admission.admit(pump, 'pump-7', { state: 'pending' })
    let release = () => {}
    admission.confirmGate = new Promise((resolve) => {
      release = resolve
    })
    const client = await rawClient(port, pump)
    client.connect()
    while (admission.confirmations === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(upstream.connections.length, 0)
    release()
    assert.equal((await client.next('connack')).reasonCode, 0)
  })

  test('beyond the sessions of an identity is refused', async (t) => {
    const { port, session, attempts } = await testGate(t, { limits: { sessionsPerIdentityMax: 1 } })
    await session(5, { clientId: 'a' })
    const client = await rawClient(port, pump)
    client.connect({ clientId: 'b' })
    assert.equal((await client.next('connack')).reasonCode, 0x97)
    await attempts.with('too-many-sessions')
  })
})
