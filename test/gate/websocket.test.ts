import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { connectAsync } from 'mqtt'
import { generate, type Packet, parser } from 'mqtt-packet'
import { WebSocket } from 'ws'
import { pump, serverCertificate, stranger, type TestCertificate } from './certificates.ts'
import { all, allow, changing, connects, policyOf } from './policies.ts'
import { testGate } from './test-gate.ts'

const listener = { websocket: { path: '/mqtt', origins: ['https://dash.plant.example'] } }

function files({ key, cert }: TestCertificate) {
  return { key, cert, ca: serverCertificate.cert }
}

function open(port: number, options: object = {}, path = '/mqtt', protocols = ['mqtt']): WebSocket {
  const socket = new WebSocket(`wss://localhost:${port}${path}`, protocols, { ...files(pump), family: 4, ...options })
  socket.on('error', () => {})
  return socket
}

const connect = generate({
  ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'raw', clean: true, keepalive: 0 },
} as Packet)

/** The next packet that comes through a WebSocket. */
function nextPacket(socket: WebSocket): Promise<Packet> {
  const codec = parser({ protocolVersion: 5 })
  socket.on('message', (data: Buffer) => codec.parse(data))
  return once(codec, 'packet').then(([packet]) => packet as Packet)
}

suite('MQTT over WebSocket', { timeout: 20_000 }, () => {
  test('serves MQTT.js with its certificate, both versions, messages both ways', async (t) => {
    const { port, gate, attempts } = await testGate(t, { listener })
    for (const protocolVersion of [4, 5] as const) {
      const client = await connectAsync(`wss://localhost:${port}/mqtt`, {
        ...files(pump),
        ...{ protocolVersion, clientId: `js${protocolVersion}`, reconnectPeriod: 0 },
        wsOptions: { ...files(pump), family: 4 },
      })
      await client.publishAsync('devices/pump-7/x', 'hello', { qos: 1 })
      assert.equal(gate.sessionCount(), 1)
      await client.endAsync()
    }
    assert.equal((await attempts.with(null)).identityId, 'pump-7')
  })

  test('takes packets however messages cut them, and several in one', async (t) => {
    const { port, upstream } = await testGate(t, { listener })
    const socket = open(port)
    await once(socket, 'open')
    assert.equal(socket.protocol, 'mqtt')
    const connack = nextPacket(socket)
    for (const byte of connect.subarray(0, -1)) socket.send(Buffer.of(byte))
    const ping = generate({ cmd: 'pingreq' })
    socket.send(Buffer.concat([connect.subarray(-1), ping, ping]))
    assert.equal((await connack).cmd, 'connack')
    assert.ok(upstream.last.received.length > 0)
    socket.terminate()
  })

  for (const [how, leave] of [
    ['closes it', (socket: WebSocket) => socket.close()],
    ['is gone at once', (socket: WebSocket) => socket.terminate()],
  ] as const) {
    test(`the last word of a client that was held back is heard, also where it ${how}`, async (t) => {
      const { options } = changing(policyOf([connects, allow(all, ['own/#'])], { publishesPerSecondMax: 40 }))
      const { port, upstream, attempts, sessionEnds } = await testGate(t, { listener, ...options })
      const socket = open(port)
      await once(socket, 'open')
      const connack = nextPacket(socket)
      socket.send(connect)
      await connack
      const message = generate({ cmd: 'publish', topic: 'own/x', payload: 'x', qos: 0 } as Packet, {
        protocolVersion: 5,
      })
      const words = [
        ...Array.from({ length: 60 }, () => message),
        generate({ cmd: 'disconnect' }, { protocolVersion: 5 }),
      ]
      await new Promise((sent) => socket.send(Buffer.concat(words), sent))
      leave(socket)
      await attempts.with('publishes-too-many')
      await upstream.last.heard('disconnect')
      assert.equal(upstream.last.received.filter(({ cmd }) => cmd === 'publish').length, 60)
      assert.deepEqual(sessionEnds, ['client-disconnect'])
    })
  }

  test('a revocation closes it with a DISCONNECT', async (t) => {
    const { port, gate } = await testGate(t, { listener })
    const socket = open(port)
    await once(socket, 'open')
    const connack = nextPacket(socket)
    socket.send(connect)
    await connack
    const goodbye = nextPacket(socket)
    const closed = once(socket, 'close')
    gate.closeIdentity('pump-7', 'identity-disabled')
    assert.equal((await goodbye).cmd, 'disconnect')
    await closed
  })

  test('an unknown certificate hears so in its CONNACK', async (t) => {
    const { port, attempts } = await testGate(t, { listener })
    const socket = open(port, files(stranger))
    await once(socket, 'open')
    const connack = nextPacket(socket)
    socket.send(connect)
    assert.notEqual(((await connack) as { reasonCode?: number }).reasonCode, 0)
    await attempts.with('certificate-foreign-authority')
  })

  for (const [name, options, path, protocols] of [
    ['another path', {}, '/other', ['mqtt']],
    ['a page from elsewhere', { origin: 'https://evil.example' }, '/mqtt', ['mqtt']],
    ['a page without an origin of its own', { origin: 'null' }, '/mqtt', ['mqtt']],
    ['another subprotocol', {}, '/mqtt', ['chat']],
    ['no subprotocol', {}, '/mqtt', []],
  ] as const) {
    test(`refuses ${name} with 403`, async (t) => {
      const { port, attempts } = await testGate(t, { listener })
      const socket = open(port, options, path, [...protocols])
      const [, response] = await once(socket, 'unexpected-response')
      assert.equal((response as { statusCode: number }).statusCode, 403)
      await attempts.with('websocket-refused')
    })
  }

  test('takes pages that are listed, and those of its own origin', async (t) => {
    const { port } = await testGate(t, { listener })
    for (const origin of ['https://dash.plant.example', `https://localhost:${port}`]) {
      const socket = open(port, { origin })
      await once(socket, 'open')
      socket.terminate()
    }
  })

  test('closes a client that sends text', async (t) => {
    const { port } = await testGate(t, { listener })
    const socket = open(port)
    await once(socket, 'open')
    socket.send('text')
    const [code] = await once(socket, 'close')
    assert.equal(code, 1003)
  })

  test('answers a request for no WebSocket, and what is no HTTP, and forgets neither', async (t) => {
    const { port, attempts, gate } = await testGate(t, { listener, limits: { farewellMs: 300 } })
    for (const [request, status] of [
      ['GET /mqtt HTTP/1.1\r\nHost: localhost\r\n\r\n', '426'],
      ['\x10\x0f\x00\x04MQTT\r\n\r\n', '400'],
    ] as const) {
      const socket = tlsConnect({ host: '127.0.0.1', port, servername: 'localhost', ...files(pump) })
      socket.write(request)
      const [answer] = await once(socket, 'data')
      assert.match(String(answer), new RegExp(`^HTTP/1.1 ${status} `))
      await once(socket, 'close')
    }
    assert.equal(attempts.all.filter(({ code }) => code === 'websocket-refused').length, 2)
    // The gate hears of the end a moment later.
    while (gate.figures().halfOpen > 0) await new Promise((resolve) => setImmediate(resolve))
  })

  test('a client that opens none in time is closed', async (t) => {
    const { port, attempts } = await testGate(t, { listener, limits: { tlsHandshakeMs: 200 } })
    const socket = tlsConnect({ host: '127.0.0.1', port, servername: 'localhost', ...files(pump) })
    socket.on('error', () => {})
    await once(socket, 'close')
    await attempts.with('connect-timeout')
  })
})
