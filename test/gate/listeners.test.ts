import assert from 'node:assert/strict'
import { connect as tcpConnect } from 'node:net'
import { suite, test } from 'node:test'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { Secret } from '../../src/core/secret.ts'
import { pump, selfSigned, serverCertificate } from './certificates.ts'
import { rawClient } from './raw-client.ts'
import { type TestGate, testGate } from './test-gate.ts'

function portOf({ gate }: TestGate, name: string): number {
  const found = gate.addresses.find((address) => address.name === name)
  assert.ok(found, `no listener ${name}`)
  return found.port
}

const otherServerCertificate = selfSigned('localhost', '-addext', 'subjectAltName=DNS:localhost')

/** The socket once the handshake is done, or the code of the error that ended it. */
function handshake(port: number, options: object): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const socket = tlsConnect({
      host: '127.0.0.1',
      port,
      ca: serverCertificate.cert,
      servername: 'localhost',
      ...options,
    })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', (error: Error & { code?: string }) => resolve(error.code ?? ''))
  })
}

async function protocolOn(port: number, options: object): Promise<unknown> {
  const socket = await handshake(port, options)
  if (typeof socket === 'string') return socket
  socket.destroy()
  return socket.alpnProtocol
}

suite('a gate with several listeners', { timeout: 20_000 }, () => {
  test('serves sessions on each, and attempts say on which', async (t) => {
    const served = await testGate(t, { more: [{ name: 'lab' }] })
    const client = await rawClient(portOf(served, 'lab'), pump)
    client.connect({ clientId: 'there' })
    await client.next('connack')
    await served.session(5, { clientId: 'here' })
    assert.equal(served.gate.sessionCount(), 2)
    const admitted = served.attempts.all.map(({ listener, clientId }) => `${clientId} on ${listener}`)
    assert.deepEqual(admitted.sort(), ['here on mqtt', 'there on lab'])
  })

  test('a revocation closes sessions on all of them', async (t) => {
    const served = await testGate(t, { more: [{ name: 'lab' }] })
    const client = await rawClient(portOf(served, 'lab'), pump)
    client.connect()
    await client.next('connack')
    assert.equal(served.gate.closeIdentity('pump-7', 'identity-disabled'), 1)
    await client.closed
  })

  test('each takes the TLS versions that it lists', async (t) => {
    const served = await testGate(t, {
      more: [
        { name: 'new', tlsVersions: ['1.3'] },
        { name: 'old', tlsVersions: ['1.2'] },
      ],
    })
    const old = await handshake(portOf(served, 'old'), {})
    assert.ok(typeof old !== 'string')
    assert.equal(old.getProtocol(), 'TLSv1.2')
    old.destroy()
    assert.equal(
      await handshake(portOf(served, 'new'), { maxVersion: 'TLSv1.2' }),
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    )
    assert.equal((await served.attempts.with('tls-version-unsupported')).listener, 'new')
  })

  test('a list of ALPN protocols turns others away, and serves clients that ask for none', async (t) => {
    const { port } = await testGate(t, { listener: { alpn: ['x-amzn-mqtt-ca'] } })
    assert.equal(await protocolOn(port, { ALPNProtocols: ['mqtt', 'x-amzn-mqtt-ca'] }), 'x-amzn-mqtt-ca')
    assert.equal(await protocolOn(port, {}), false)
    assert.match(String(await protocolOn(port, { ALPNProtocols: ['mqtt'] })), /NO_APPLICATION_PROTOCOL/)
  })

  test('another server certificate is shown on all of them, with the versions that each had', async (t) => {
    const served = await testGate(t, { more: [{ name: 'new', tlsVersions: ['1.3'] }] })
    served.gate.setCertificate({ key: new Secret(otherServerCertificate.key), chain: otherServerCertificate.cert })
    for (const { port } of served.gate.addresses) {
      const socket = await handshake(port, { ca: otherServerCertificate.cert })
      assert.ok(typeof socket !== 'string', String(socket))
      socket.destroy()
    }
    assert.equal(typeof (await handshake(portOf(served, 'new'), { maxVersion: 'TLSv1.2' })), 'string')
  })

  test('one that may hold so many connections refuses the next, and has room again when one has gone', async (t) => {
    const { port, attempts, session } = await testGate(t, {
      listener: { limits: { connectionsMax: 1 } },
    })
    const first = await session(5)
    tcpConnect({ host: '127.0.0.1', port }).on('error', () => {})
    await attempts.with('too-many-connections')
    first.send({ cmd: 'disconnect' })
    await first.closed
    // The gate hears of it a moment later.
    while ((await session(5).catch(() => null)) === null);
  })

  test('where one has no port to listen on, none serves', async (t) => {
    const { port } = await testGate(t)
    await assert.rejects(testGate(t, { more: [{ name: 'lab', port }] }), { code: 'port-taken' })
  })
})
