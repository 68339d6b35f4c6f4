import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls'
import fc from 'fast-check'
import { readClientHello } from '../../../src/core/tls/client-hello.ts'

/** The first message of Node's client. */
async function helloOf(t: TestContext, options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  tlsConnect({ host: '127.0.0.1', port, ...options }).on('error', () => {})
  const [socket] = await once(server, 'connection')
  const [bytes] = await once(socket, 'data')
  socket.destroy()
  return bytes
}

/** Extensions by their type. */
function handMade({ random = '00000000', extensions = '' } = {}): Buffer {
  const list = extensions === '' ? '' : `${(extensions.length / 2).toString(16).padStart(4, '0')}${extensions}`
  const body = `0301${random}${'5a'.repeat(28)}00${'0004002f0035'}0100${list}`
  const length = (octets: number, digits: number) => octets.toString(16).padStart(digits, '0')
  const message = `01${length(body.length / 2, 6)}${body}`
  return Buffer.from(`160301${length(message.length / 2, 4)}${message}`, 'hex')
}

suite('a ClientHello', () => {
  test('of TLS 1.3 says what the client offers', async (t) => {
    const bytes = await helloOf(t, {
      ...{ servername: 'hub.example', ALPNProtocols: ['mqtt', 'x'], ecdhCurve: 'P-256:X25519' },
      ...{ ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256', sigalgs: 'ecdsa_secp256r1_sha256' },
    })
    const hello = readClientHello(bytes)
    assert.partialDeepStrictEqual(hello, { legacyVersion: 0x0303, serverName: 'hub.example', protocols: ['mqtt', 'x'] })
    assert.deepEqual(hello?.versions, [0x0304, 0x0303])
    assert.deepEqual(hello?.groups, [23, 29])
    assert.deepEqual(hello?.signatureSchemes, [0x0403])
    assert.deepEqual(
      hello?.cipherSuites.filter((id) => id !== 0x00ff),
      [0x1301, 0xc02b],
    )
  })

  test('of an old library has its clock in the random, and no extensions', () => {
    assert.deepEqual(readClientHello(handMade({ random: '00015180' })), {
      ...{ legacyVersion: 0x0301, randomSec: 86_400, cipherSuites: [0x002f, 0x0035], serverName: null },
      ...{ versions: null, groups: null, signatureSchemes: null, protocols: null },
    })
  })

  test('in several records is put together', async (t) => {
    const whole = await helloOf(t, { servername: 'hub.example' })
    const message = whole.subarray(5)
    const record = (part: Buffer) =>
      Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part])
    const split = Buffer.concat([
      record(message.subarray(0, 3)),
      record(message.subarray(3, 90)),
      record(message.subarray(90)),
    ])
    assert.deepEqual(readClientHello(split), readClientHello(whole))
  })

  test('cut anywhere is none', async (t) => {
    const bytes = await helloOf(t, { servername: 'hub.example' })
    for (let length = 0; length < bytes.length; length++) assert.equal(readClientHello(bytes.subarray(0, length)), null)
  })

  test('with lengths that lie is none, and so is anything else', () => {
    for (const bytes of [
      Buffer.from('100f00044d5154540402003c000370756d70', 'hex'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from('16030100040200000000', 'hex'),
      handMade({ extensions: '0000ffff00' }),
      handMade({ extensions: '000000050003000009' }),
    ]) {
      assert.equal(readClientHello(bytes), null)
    }
  })

  test('changed anywhere throws nothing', async (t) => {
    const bytes = await helloOf(t, { servername: 'hub.example', ALPNProtocols: ['mqtt'] })
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const changed = Buffer.from(bytes)
        changed[at] = value
        readClientHello(changed)
      }),
    )
  })

  test('of any bytes throws nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (bytes) => void readClientHello(Buffer.concat([Buffer.from([22, 3, 1]), bytes])),
      ),
    )
  })
})
