// needs: openssl
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, connect as tcpConnect } from 'node:net'
import { suite, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { Secret } from '../../src/core/secret.ts'
import { pump, selfSigned, serverCertificate } from './certificates.ts'
import { rawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

function tcp(port: number, bytes?: string | Buffer): Socket {
  const socket = tcpConnect({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  if (bytes !== undefined) socket.write(bytes)
  return socket
}

function failingTls(port: number, options: object): void {
  tlsConnect({ host: '127.0.0.1', port, servername: 'localhost', ...options }).on('error', () => {})
}

suite('what never becomes a TLS connection is told apart', { timeout: 20_000 }, () => {
  test('MQTT without TLS', async (t) => {
    const { port, attempts } = await testGate(t)
    tcp(port, Buffer.from('100f00044d5154540402003c000370756d70', 'hex'))
    const attempt = await attempts.with('plain-mqtt-on-tls-port')
    assert.equal(attempt.address, '127.0.0.1')
    assert.equal(attempt.stage, 'tls')
    assert.equal(attempt.outcome, 'refused')
  })

  test('HTTP', async (t) => {
    const { port, attempts } = await testGate(t)
    tcp(port, 'GET / HTTP/1.1\r\n\r\n')
    await attempts.with('http-on-tls-port')
  })

  test('anything else, with its first bytes', async (t) => {
    const { port, attempts } = await testGate(t)
    tcp(port, 'SSH-2.0-x')
    assert.match((await attempts.with('not-tls')).sentence, /"SSH-2.0-x/)
  })

  test('a health check that closes without a byte', async (t) => {
    const { port, attempts } = await testGate(t)
    tcp(port).end()
    assert.match((await attempts.with('closed-unused')).sentence, /before the client sent a byte/)
  })

  test('a client that says nothing for too long', async (t) => {
    const { port, attempts } = await testGate(t, { limits: { tlsHandshakeMs: 50 } })
    tcp(port)
    await attempts.with('tls-timeout')
  })

  test('a handshake that stops in the middle', async (t) => {
    const { port, attempts } = await testGate(t)
    const socket = tcp(port, Buffer.from('1603010200', 'hex'))
    socket.once('connect', () => setImmediate(() => socket.end()))
    await attempts.with('tls-closed-early')
  })

  test('a ClientHello that is none', async (t) => {
    const { port, attempts } = await testGate(t)
    tcp(port, Buffer.from('16030100050100000103', 'hex'))
    assert.match((await attempts.with('tls-failed')).sentence, /"ERR_SSL_/)
  })

  test('TLS 1.1, with the versions that it offers', async (t) => {
    const { port, attempts } = await testGate(t)
    failingTls(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' })
    assert.match((await attempts.with('tls-version-unsupported')).sentence, /offers TLS 1\.1/)
  })

  test('more connections than may wait for their CONNECT', async (t) => {
    const { port, attempts } = await testGate(t, { limits: { halfOpenConnectionsMax: 2 } })
    const waiting = [tcp(port), tcp(port), tcp(port)]
    const attempt = await attempts.with('too-many-handshakes')
    assert.equal(attempt.stage, 'tcp')
    for (const socket of waiting) socket.destroy()
  })

  test('more of them from an address that has failed too often than it may have', async (t) => {
    const limits = { halfOpenFailingMax: 1, connectFailuresMax: 1, connectFailureForgottenMs: 3_600_000 }
    const { port, attempts } = await testGate(t, { limits })
    tcp(port, 'neither TLS nor MQTT')
    await attempts.with('not-tls')
    const waiting = [tcp(port), tcp(port)]
    assert.match((await attempts.with('address-failing')).sentence, /connections from 127\.0\.0\.1 have failed/)
    for (const socket of waiting) socket.destroy()
  })

  test('sessions do not count among them', async (t) => {
    const { session } = await testGate(t, { limits: { halfOpenConnectionsMax: 1 } })
    for (const clientId of ['a', 'b', 'c']) await session(5, { clientId })
  })
})

suite('TLS serves its clients', { timeout: 20_000 }, () => {
  test('of either version, and tells the version in the attempt', async (t) => {
    const { port, attempts } = await testGate(t)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await rawClient(port, pump, 5, { minVersion: version, maxVersion: version })
      client.connect({ clientId: version })
      assert.equal((await client.next('connack')).reasonCode, 0)
      assert.equal(attempts.all.at(-1)?.tlsVersion, version)
      client.socket.destroy()
    }
  })

  test('that come from one port to two addresses of this machine at once', async (t) => {
    const { port, attempts } = await testGate(t, { listener: { host: '0.0.0.0' } })
    const from = { port, localAddress: '127.0.0.9' }
    const first = tcpConnect({ ...from, host: '127.0.0.1' })
    await once(first, 'connect')
    const second = tcpConnect({ ...from, host: '127.0.0.2', localPort: first.localPort ?? 0 })
    await once(second, 'connect')
    assert.equal(first.localPort, second.localPort)
    for (const socket of [second, first]) {
      const client = await rawClient(port, pump, 5, { socket })
      client.connect({ clientId: `to-${socket.remoteAddress}` })
      assert.equal((await client.next('connack')).reasonCode, 0)
    }
    await attempts.with(null)
    assert.deepEqual(
      attempts.all.map(({ clientId }) => clientId),
      ['to-127.0.0.2', 'to-127.0.0.1'],
    )
  })

  test('whatever application protocol they offer', async (t) => {
    const { port } = await testGate(t)
    for (const [offered, answer] of [
      [['x-amzn-mqtt-ca'], 'x-amzn-mqtt-ca'],
      [['h2', 'mqtt'], 'mqtt'],
      [['other'], 'other'],
    ] as const) {
      const client = await rawClient(port, pump, 5, { ALPNProtocols: [...offered] })
      assert.equal(client.socket.alpnProtocol, answer)
      client.socket.destroy()
    }
  })

  test('with a new certificate after a change, while sessions go on with the old one', async (t) => {
    const { gate, port, session } = await testGate(t)
    const before = await session(5)
    const next = selfSigned('localhost', '-addext', 'subjectAltName=DNS:localhost')
    gate.setCertificate({ key: new Secret(next.key), chain: next.cert })
    const after = await rawClient(port, pump, 5, { ca: next.cert })
    assert.notEqual(
      after.socket.getPeerX509Certificate()?.fingerprint256,
      before.socket.getPeerX509Certificate()?.fingerprint256,
    )
    before.send({ cmd: 'pingreq' })
    await before.next('pingresp')
    await assert.rejects(
      rawClient(port, pump, 5, {
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ca: serverCertificate.cert,
        ciphers: 'DEFAULT:@SECLEVEL=0',
      }),
    )
    after.socket.destroy()
    before.socket.destroy()
  })
})
