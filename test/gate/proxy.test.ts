import assert from 'node:assert/strict'
import { connect as tcpConnect } from 'node:net'
import { suite, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { pump, serverCertificate } from './certificates.ts'
import { RawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

const header = Buffer.from('0d0a0d0a000d0a515549540a2111000cc00002070a000001123422b3', 'hex')
const local = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex')

const behindProxy = { listener: { proxyProtocol: { networks: ['127.0.0.0/8'] } } }
const otherProxy = { listener: { proxyProtocol: { networks: ['192.0.2.0/24'] } } }

/** A client whose bytes come behind those of a proxy, sent in pieces that the test gives. */
async function through(port: number, ...pieces: readonly Buffer[]): Promise<RawClient> {
  const raw = tcpConnect({ host: '127.0.0.1', port, noDelay: true })
  for (const piece of pieces) await new Promise<void>((resolve) => raw.write(piece, () => setImmediate(resolve)))
  const { key, cert } = pump
  const client = tlsConnect({ socket: raw, key, cert, ca: serverCertificate.cert, servername: 'localhost' })
  return new RawClient(client, 5)
}

suite('a listener behind a proxy', { timeout: 20_000 }, () => {
  test('takes the address of the client from the header, in one piece or in many', async (t) => {
    const { port, attempts } = await testGate(t, behindProxy)
    const cuts = [[header], [...header].map((byte) => Buffer.of(byte))]
    for (const [index, pieces] of cuts.entries()) {
      const client = await through(port, ...pieces)
      client.connect({ clientId: `c${index}` })
      assert.equal((await client.next('connack')).reasonCode, 0)
      assert.equal(attempts.all.at(-1)?.address, '192.0.2.7')
    }
  })

  test('takes what the proxy does by itself for its own', async (t) => {
    const { port, attempts } = await testGate(t, behindProxy)
    const client = await through(port, local)
    client.connect()
    await client.next('connack')
    assert.equal(attempts.all.at(-1)?.address, '127.0.0.1')
  })

  test('refuses what comes from the proxy without a header', async (t) => {
    const { port, attempts } = await testGate(t, behindProxy)
    await through(port)
    assert.equal((await attempts.with('proxy-header-invalid')).address, '127.0.0.1')
  })

  test('refuses version 1', async (t) => {
    const { port, attempts } = await testGate(t, behindProxy)
    await through(port, Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 4660 8883\r\n'))
    assert.match((await attempts.with('proxy-header-invalid')).sentence, /version 1/)
  })

  test('refuses a header from elsewhere, and serves others from there', async (t) => {
    const { port, attempts, session } = await testGate(t, otherProxy)
    await through(port, header)
    assert.equal((await attempts.with('proxy-header-refused')).address, '127.0.0.1')
    await session(5)
  })

  test('failures count for the client behind the proxy, and not for the proxy', async (t) => {
    const limits = { halfOpenFailingMax: 0, connectFailuresMax: 1, connectFailureForgottenMs: 3_600_000 }
    const { port, attempts } = await testGate(t, { ...behindProxy, limits })
    tcpConnect({ host: '127.0.0.1', port }).end(Buffer.concat([header, Buffer.from('no TLS at all')]))
    assert.equal((await attempts.with('not-tls')).address, '192.0.2.7')
    await through(port, header)
    assert.equal((await attempts.with('address-failing')).address, '192.0.2.7')
    const other = Buffer.from(header)
    other[19] = 8
    const client = await through(port, other)
    client.connect()
    assert.equal((await client.next('connack')).reasonCode, 0)
  })
})

suite('a listener without a proxy', { timeout: 20_000 }, () => {
  for (const [version, bytes] of [
    ['1', Buffer.from('PROXY TCP4 192.0.2.7 10.0.0.1 4660 8883\r\n')],
    ['2', header],
  ] as const) {
    test(`refuses a header of version ${version}`, async (t) => {
      const { port, attempts } = await testGate(t)
      await through(port, bytes)
      assert.match((await attempts.with('proxy-header-refused')).sentence, new RegExp(`version ${version}`))
    })
  }
})
