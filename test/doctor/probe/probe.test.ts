import assert from 'node:assert/strict'
import { createServer as createHttpServer } from 'node:http'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { WebSocketServer } from 'ws'
import { encodeConnack } from '../../../src/core/mqtt/connack.ts'
import { reasonStringOf } from '../../../src/core/mqtt/encoding.ts'
import { parseTopicName, type TopicName } from '../../../src/core/mqtt/topic.ts'
import { Secret } from '../../../src/core/secret.ts'
import { oids } from '../../../src/core/x509/oids.ts'
import { PacketStream } from '../../../src/doctor/probe/packet-stream.ts'
import { freePort } from '../../support/free-port.ts'
import {
  acme,
  authority,
  codesOf,
  device,
  leaf,
  nowSec,
  pairOf,
  plainServer,
  probed,
  saying,
  tlsServer,
} from './bed.ts'

const server = leaf('localhost')
const accepted = saying([0x20, 0x03, 0x00, 0x00, 0x00])
const daySec = 86_400

test('a broker that is as it should be: nothing is found, and what it shows is told', async (t) => {
  const port = await tlsServer(t, server, {}, accepted)
  const { facts, findings } = await probed(port)
  assert.deepEqual(findings, [])
  const told = new Map(facts.map(({ name, value }) => [name, value]))
  assert.match(told.get('speaks') ?? '', /TLS 1\.3 with .*TLS 1\.2 with/)
  assert.equal(told.get('client certificate'), 'not asked for')
  assert.match(told.get('server certificate') ?? '', /^localhost, 127\.0\.0\.1; until /)
  assert.equal(told.get('CONNECT'), 'MQTT 5: accepted')
})

test('nobody listens on the port', async () => {
  assert.deepEqual(codesOf(await probed(await freePort())), ['port-refused'])
})

test('a name that is in no DNS', async () => {
  // Offline the question itself goes unanswered.
  const [code] = codesOf(await probed(8883, {}, 'mqtts', 'no-such-host.invalid'))
  assert.ok(code === 'name-not-found' || code === 'name-not-resolved', code)
})

test('MQTT without TLS is spoken where TLS was asked for', async (t) => {
  const port = await plainServer(t, (socket) => {
    socket.once('data', (bytes: Buffer) => socket.end(bytes[0] === 0x10 ? Buffer.of(0x20, 2, 0, 0) : ''))
  })
  assert.deepEqual(codesOf(await probed(port)), ['port-speaks-plain-mqtt'])
})

test('HTTP is spoken where MQTT was asked for', async (t) => {
  const port = await plainServer(t, saying('HTTP/1.1 400 Bad Request\r\n\r\n'))
  assert.deepEqual(codesOf(await probed(port)), ['port-speaks-http'])
  assert.deepEqual(codesOf(await probed(port, {}, 'mqtt')), ['port-speaks-http'])
})

test('another protocol is spoken there', async (t) => {
  const port = await plainServer(t, (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
  assert.deepEqual(codesOf(await probed(port)), ['port-speaks-other'])
  assert.deepEqual(codesOf(await probed(port, {}, 'mqtt')), ['port-speaks-other'])
})

test('TLS is spoken where none was asked for', async (t) => {
  const port = await tlsServer(t, server, {}, accepted)
  assert.deepEqual(codesOf(await probed(port, {}, 'mqtt')), ['port-speaks-tls'])
  assert.deepEqual(codesOf(await probed(port, {}, 'ws')), ['port-speaks-tls'])
})

test('a server that says nothing, and one that hangs up', async (t) => {
  const silent = await plainServer(t, (socket) => socket.resume())
  assert.deepEqual(codesOf(await probed(silent, { stepMs: 200 })), ['tls-unanswered'])
  const rude = await plainServer(t, (socket) => socket.end())
  assert.deepEqual(codesOf(await probed(rude)), ['tls-dropped'])
})

test('a server that speaks TLS 1.1 at most', async (t) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const
  const port = await tlsServer(t, server, old, accepted)
  assert.deepEqual(codesOf(await probed(port)), ['server-tls-outdated'])
})

test('a server whose suites no client of today has', async (t) => {
  const odd = { maxVersion: 'TLSv1.2', ciphers: 'AECDH-NULL-SHA:@SECLEVEL=0', ecdhCurve: 'P-256' } as const
  const port = await tlsServer(t, server, odd, accepted)
  assert.deepEqual(codesOf(await probed(port)), ['tls-no-shared-cipher'])
})

test('a server that ends every handshake and does not say why', async (t) => {
  const port = await plainServer(t, saying([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 80]))
  assert.deepEqual(codesOf(await probed(port)), ['server-handshake-failed'])
})

test('a server that takes no protocol that is offered', async (t) => {
  const port = await tlsServer(t, server, { ALPNProtocols: ['mqtt'] }, accepted)
  assert.deepEqual(codesOf(await probed(port, { alpn: ['x-amzn-mqtt-ca'] })), ['tls-no-application-protocol'])
})

test('a server that refuses the handshake by an alert', async (t) => {
  const alerting = (alert: number) => plainServer(t, saying([0x15, 3, 3, 0, 2, 2, alert]))
  assert.deepEqual(codesOf(await probed(await alerting(80))), ['server-handshake-failed'])
  assert.deepEqual(codesOf(await probed(await alerting(112))), ['tls-name-unrecognised'])
})

test('MQTT over WebSocket, and a server that knows no such path', async (t) => {
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', (socket) => socket.once('message', () => socket.send(Buffer.of(0x20, 3, 0, 0, 0))))
  const web = createHttpServer((_request, response) => response.writeHead(404).end())
  web.on('upgrade', (request, socket, head) => {
    if (request.url === '/mqtt')
      sockets.handleUpgrade(request, socket, head, (each) => sockets.emit('connection', each))
    else socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
  })
  const port = await tlsServer(t, server, {}, (socket) => void web.emit('connection', socket))
  assert.deepEqual(codesOf(await probed(port, {}, 'wss')), [])
  assert.deepEqual(codesOf(await probed(port, {}, 'wss', 'localhost', '/other')), ['websocket-refused'])
})

test('the certificate of the server: dates, names, usage, authority', async (t) => {
  const other = authority('Other')
  const issuing = authority('Issuing', acme)
  const cases = [
    ['hub-certificate-expired', leaf('a', { validity: { notBeforeSec: 1, notAfterSec: nowSec - daySec } })],
    [
      'hub-certificate-not-yet-valid',
      leaf('a', { validity: { notBeforeSec: nowSec + daySec, notAfterSec: nowSec + 9 * daySec } }),
    ],
    ['server-certificate-ends-soon', leaf('a', { validity: { notBeforeSec: 1, notAfterSec: nowSec + daySec } })],
    ['hub-name-mismatch', leaf('a', { names: { dnsNames: ['broker.example'] } })],
    ['server-certificate-nameless', leaf('localhost', { names: { dnsNames: [], ipAddresses: [] } })],
    ['hub-certificate-wrong-usage', leaf('a', { usage: oids.clientAuth })],
    ['hub-untrusted', leaf('a', { issuer: other })],
    ['hub-intermediate-missing', leaf('a', { issuer: issuing })],
  ] as const
  for (const [code, own] of cases) {
    const port = await tlsServer(t, own, {}, accepted)
    const found = codesOf(await probed(port))
    assert.ok(found.includes(code), `${code}: ${found}`)
  }
  const chained = leaf('a', { issuer: issuing })
  const port = await tlsServer(t, chained, { cert: chained.pem + issuing.pem }, accepted)
  assert.deepEqual(codesOf(await probed(port)), [])
})

test('a server that is dialled by an address that its certificate lacks', async (t) => {
  const port = await tlsServer(t, leaf('a', { names: { ipAddresses: [] } }), {}, accepted)
  const { findings } = await probed(port, {}, 'mqtts', '127.0.0.1')
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['hub-name-mismatch', 'fault']],
  )
  assert.match(findings[0]?.cure ?? '', /IP address/)
})

test('without authorities of one’s own, an unknown authority is worth a note', async (t) => {
  const port = await tlsServer(t, server, {}, accepted)
  const { findings } = await probed(port, { authorities: null })
  assert.ok(findings.every(({ severity }) => severity === 'note'))
  assert.ok(findings.some(({ code }) => code === 'hub-untrusted'))
})

const demanding = { requestCert: true, rejectUnauthorized: true, ca: acme.pem }

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`what a server of ${version} says of the client's certificate is heard`, async (t) => {
    const asks = { ...demanding, maxVersion: version }
    const port = await tlsServer(t, server, asks, accepted)
    assert.deepEqual(codesOf(await probed(port)), ['certificate-missing'])
    assert.deepEqual(codesOf(await probed(port, { pair: pairOf(device('pump')) })), [])
  })
}

test('the authorities that a server asks for are told', async (t) => {
  const port = await tlsServer(t, server, demanding, accepted)
  const { facts } = await probed(port)
  assert.equal(facts.find(({ name }) => name === 'client certificate')?.value, 'asked for, of CN=ACME')
})

test('a broker refuses in MQTT, and its reason has a code', async (t) => {
  const refusing = (code: number, reason: string | null = null) =>
    tlsServer(
      t,
      server,
      {},
      saying([...encodeConnack({ sessionPresent: false, code, properties: reasonStringOf(reason) }, 5)]),
    )
  const cases = [
    ['client-id-invalid', 0x85, null],
    ['broker-unavailable', 0x89, null],
    ['client-banned', 0x8a, null],
    ['broker-elsewhere', 0x9c, null],
    ['broker-refused-unexplained', 0x87, null],
    ['password-missing', 0x86, null],
    ['certificate-expired', 0x87, 'HF-2106 it expired 3 days ago'],
  ] as const
  for (const [code, number, reason] of cases) {
    assert.deepEqual(codesOf(await probed(await refusing(number, reason))), [code])
  }
  assert.deepEqual(codesOf(await probed(await refusing(0x86), { username: 'pump', password: new Secret('wet') })), [
    'password-wrong',
  ])
})

test('a broker that knows MQTT 3.1.1 alone', async (t) => {
  const port = await tlsServer(t, server, {}, (socket) => {
    socket.once('data', (bytes: Buffer) =>
      socket.write(bytes[8] === 5 ? Buffer.of(0x20, 2, 0, 1) : Buffer.of(0x20, 2, 0, 0)),
    )
  })
  const { facts, findings } = await probed(port)
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['protocol-version-unsupported', 'note']],
  )
  assert.equal(facts.at(-1)?.value, 'MQTT 3.1.1: accepted')
})

test('a broker that does not answer CONNECT, and one that ends the connection', async (t) => {
  const silent = await tlsServer(t, server, {}, (socket) => socket.resume())
  assert.deepEqual(codesOf(await probed(silent, { stepMs: 400 })), ['broker-silent'])
  const rude = await tlsServer(t, server, {}, saying([]))
  assert.deepEqual(codesOf(await probed(rude)), ['broker-refused-unexplained'])
})

test('a password goes to nobody who has not proved to be the server', async (t) => {
  const received: Buffer[] = []
  const listening = (socket: { on(event: 'data', listener: (bytes: Buffer) => void): unknown }) => {
    socket.on('data', (bytes) => received.push(bytes))
  }
  const login = { username: 'pump', password: new Secret('MARKER7f3a') }
  const impostor = await tlsServer(t, leaf('a', { issuer: authority('Other') }), {}, listening)
  assert.ok(codesOf(await probed(impostor, login)).includes('password-held-back'))
  const misnamed = await tlsServer(
    t,
    leaf('a', { names: { dnsNames: ['other.example'], ipAddresses: [] } }),
    {},
    listening,
  )
  assert.ok(codesOf(await probed(misnamed, login)).includes('password-held-back'))
  const token = { username: 'MARKER-token' }
  assert.ok(codesOf(await probed(impostor, token)).includes('password-held-back'), 'a user name alone may be a token')
  assert.equal(Buffer.concat(received).includes('MARKER'), false)
  const proved = await tlsServer(t, server, {}, (socket) => {
    listening(socket)
    accepted(socket)
  })
  const examination = await probed(proved, login)
  assert.deepEqual(codesOf(examination), [])
  assert.ok(Buffer.concat(received).includes('MARKER7f3a'))
  assert.ok(!JSON.stringify(examination).includes('MARKER'))
})

/** A broker of MQTT 5 that answers a subscription and a message with these codes, and sends the message back or not. */
function talking(suback: number, puback: number | null, isEchoing: boolean) {
  return (socket: Socket): void => {
    socket.on('data', (bytes: Buffer) => {
      const type = (bytes[0] ?? 0) >> 4
      if (type === 1) socket.write(Buffer.of(0x20, 3, 0, 0, 0))
      if (type === 8) socket.write(Buffer.of(0x90, 4, 0, 1, 0, suback))
      if (type !== 3) return
      if (puback === null) {
        socket.end()
        return
      }
      // The same without its packet id, as QoS 0.
      const topicEnd = 4 + bytes.readUInt16BE(2)
      const body = Buffer.concat([bytes.subarray(2, topicEnd), bytes.subarray(topicEnd + 2)])
      if (isEchoing) socket.write(Buffer.concat([Buffer.of(0x30, body.length), body]))
      socket.write(Buffer.of(0x40, 3, 0, 2, puback))
    })
  }
}

test('a topic: refused to read, refused to write, swallowed, and well', async (t) => {
  const topic = parseTopicName('plant/probe') as TopicName
  const cases = [
    [talking(1, 0, true), []],
    [talking(0x87, 0, false), ['subscribe-denied']],
    [talking(1, 0x87, false), ['publish-denied']],
    [talking(1, null, false), ['publish-denied']],
    [talking(1, 0, false), ['message-not-delivered']],
  ] as const
  for (const [serve, codes] of cases) {
    const port = await tlsServer(t, server, {}, serve)
    assert.deepEqual(codesOf(await probed(port, { topic, stepMs: 700 })), codes)
  }
})

test('no topic is touched that was not named', async (t) => {
  const types: number[] = []
  const port = await tlsServer(t, server, {}, (socket) => {
    socket.on('data', (bytes: Buffer) => {
      types.push((bytes[0] ?? 0) >> 4)
      if (types.length === 1) socket.write(Buffer.of(0x20, 3, 0, 0, 0))
    })
  })
  assert.deepEqual(codesOf(await probed(port)), [])
  assert.ok(
    types.every((type) => type === 1 || type === 14),
    String(types),
  )
})

test('a broker that never stops sending is not listened to beyond the time', async () => {
  const [near, far] = duplexPair()
  const packets = new PacketStream(near)
  far.write(Buffer.of(0xd0, 0, 0xd0, 0, 0xd0, 0))
  assert.ok(Buffer.isBuffer(await packets.next(2_000)))
  assert.deepEqual(await packets.next(0), { kind: 'late', code: null, alert: null })
  packets.close()
})

test('a WebSocket handshake that trickles is not waited for beyond its step', async (t) => {
  const port = await plainServer(t, (socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\n')
    const trickle = setInterval(() => socket.write('X'), 50)
    socket.once('close', () => clearInterval(trickle))
  })
  assert.deepEqual(codesOf(await probed(port, { stepMs: 400 }, 'ws', '127.0.0.1', '/mqtt')), ['websocket-refused'])
})

test('an address of the web is told to be probed as MQTT over WebSocket, at which path, and one of MQTT is not', async () => {
  const port = await freePort()
  const toldOf = async (scheme: string, path = '') =>
    (await probed(port, {}, scheme, 'localhost', path)).facts.find(({ name }) => name === 'probed as')?.value
  assert.equal(await toldOf('https'), 'MQTT over WebSocket, at the path "/mqtt"')
  assert.equal(await toldOf('http', '/ws'), 'MQTT over WebSocket, at the path "/ws"')
  assert.equal(await toldOf('mqtts'), undefined)
})
