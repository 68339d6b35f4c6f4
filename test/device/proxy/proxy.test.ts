// needs: openssl
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { credentialSource } from '../../../src/device/credential-source.ts'
import { deviceLimits } from '../../../src/device/limits.ts'
import { type LocalAddress, parseLocalAddress } from '../../../src/device/proxy/local-address.ts'
import { type ProxyEvent, type ProxyOptions, startProxy } from '../../../src/device/proxy/proxy.ts'
import { freePort } from '../../support/free-port.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startAskingServer } from '../asking-server.ts'
import { OpensslAuthority } from '../est-authority.ts'
import { putCredential } from '../held-credential.ts'

const authority = new OpensslAuthority()
const stranger = new OpensslAuthority()
after(() => {
  authority.remove()
  stranger.remove()
})
const ofHub = authority.endEntity('localhost', 'DNS:localhost')

/** A proxy in front of the credential in a folder, with what it reports. */
async function started(t: TestContext, given: Partial<ProxyOptions> & { readonly directory?: string } = {}) {
  const directory = given.directory ?? join(temporaryFolder(t), 'device')
  const events: ProxyEvent[] = []
  const waiting = new Set<() => void>()
  const holds: number[] = []
  const proxy = await startProxy({
    source: credentialSource(directory),
    addresses: [parseLocalAddress('127.0.0.1:0')],
    socketMode: 0o600,
    server: null,
    roots: null,
    connectionsMax: 8,
    delay: async (ms) => void holds.push(ms),
    report: (event) => {
      events.push(event)
      for (const look of waiting) look()
    },
    ...given,
  })
  t.after(() => proxy.close())
  const [address] = proxy.addresses
  assert.ok(address !== undefined)
  return {
    directory,
    events,
    holds,
    proxy,
    enter: () => entered(t, address),
    reported: <Kind extends ProxyEvent['kind']>(kind: Kind): Promise<Extract<ProxyEvent, { kind: Kind }>> =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = events.find((event) => event.kind === kind)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found as Extract<ProxyEvent, { kind: Kind }>)
        }
        waiting.add(look)
        look()
      }),
  }
}

function entered(t: TestContext, address: LocalAddress): Socket {
  const socket = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host)
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  return socket
}

async function allOf(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** Ends its side when the other has, and sends all back until then. */
const echo = (socket: TLSSocket): void => void socket.pipe(socket)

const connectPacket = {
  4: Buffer.from('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00', 'latin1'),
  5: Buffer.from('\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00', 'latin1'),
}

test('bytes go to the server with the certificate of the device and come back, to the last one', async (t) => {
  const server = await startAskingServer(t, ofHub, {}, echo)
  const device = await started(t, { server: { host: 'localhost', port: server.port } })
  const fingerprint = putCredential(authority, device.directory, 'pump-7')
  const socket = device.enter()
  const sent = Buffer.alloc(3_000_000, 'every byte of it ')
  socket.end(sent)
  assert.ok(sent.equals(await allOf(socket)))
  assert.deepEqual(server.shown, [fingerprint])
  const { sentBytes, receivedBytes, cause } = await device.reported('closed')
  assert.deepEqual([sentBytes, receivedBytes, cause], [sent.length, sent.length, null])
})

test('it leads to the MQTT port of the hub that the certificate is from', async (t) => {
  const server = await startAskingServer(t, ofHub, {}, echo)
  const device = await started(t)
  putCredential(authority, device.directory, 'pump-7', { host: 'localhost', mqttPort: server.port })
  device.enter()
  assert.deepEqual((await device.reported('opened')).server, { host: 'localhost', port: server.port })
})

test('a renewed certificate is used by the next connection, and the one before stays open', async (t) => {
  const server = await startAskingServer(t, ofHub, {}, echo)
  const device = await started(t, { server: { host: 'localhost', port: server.port } })
  const first = putCredential(authority, device.directory, 'pump-7')
  const before = device.enter()
  await server.saw(1)
  const second = putCredential(authority, device.directory, 'pump-7')
  device.enter()
  await server.saw(2)
  assert.deepEqual(server.shown, [first, second])
  before.write('still here')
  assert.equal(String((await once(before, 'data', { signal: t.signal }))[0]), 'still here')
})

test('when the server ends the connection, the program has all that was said and its connection ends', async (t) => {
  const server = await startAskingServer(t, ofHub, {}, (socket) => socket.end('goodbye'))
  const device = await started(t, { server: { host: 'localhost', port: server.port } })
  putCredential(authority, device.directory, 'pump-7')
  assert.equal(String(await allOf(device.enter())), 'goodbye')
  await device.reported('closed')
})

test('when the program is gone, the connection to the server ends', async (t) => {
  const ended = Promise.withResolvers<void>()
  const server = await startAskingServer(t, ofHub, {}, (socket) => socket.resume().once('close', () => ended.resolve()))
  const device = await started(t, { server: { host: 'localhost', port: server.port } })
  putCredential(authority, device.directory, 'pump-7')
  const socket = device.enter()
  await device.reported('opened')
  socket.resetAndDestroy()
  await ended.promise
  await device.reported('closed')
})

const untrusted = [
  ['below a root of somebody else', () => stranger.endEntity('localhost', 'DNS:localhost')],
  ['for another name', () => authority.endEntity('elsewhere', 'DNS:elsewhere.example')],
  ['that it made itself', () => stranger.selfSigned('localhost')],
] as const
for (const [what, certificate] of untrusted) {
  test(`a server with a certificate ${what} hears nothing`, async (t) => {
    let heard = 0
    const server = await startAskingServer(t, certificate(), {}, (socket) => {
      socket.on('data', (chunk) => {
        heard += chunk.length
      })
    })
    const device = await started(t, { server: { host: 'localhost', port: server.port } })
    putCredential(authority, device.directory, 'pump-7')
    const socket = device.enter()
    socket.write(connectPacket[4])
    assert.deepEqual(await allOf(socket), Buffer.of(0x20, 2, 0, 3))
    assert.equal((await device.reported('failed')).problem.code, 'proxy-server-untrusted')
    assert.equal(heard, 0)
  })
}

test('roots that are named take the place of those in the folder', async (t) => {
  const server = await startAskingServer(t, stranger.endEntity('localhost', 'DNS:localhost'), {}, echo)
  const to = { host: 'localhost', port: server.port }
  const device = await started(t, { server: to, roots: stranger.read('root.pem') })
  const fingerprint = putCredential(authority, device.directory, 'pump-7')
  device.enter()
  await server.saw(1)
  assert.deepEqual(server.shown, [fingerprint])
})

test('without a connection a client of MQTT 5 is told why, and one of another protocol is closed', async (t) => {
  const device = await started(t, { server: { host: 'localhost', port: await freePort() } })
  putCredential(authority, device.directory, 'pump-7')
  const modern = device.enter()
  modern.write(connectPacket[5])
  const answer = await allOf(modern)
  assert.deepEqual([answer[0], answer[4]], [0x20, 0x88])
  assert.match(String(answer), /cannot be reached: connection refused/)
  const other = device.enter()
  other.write('GET / HTTP/1.1\r\n\r\n')
  assert.deepEqual(await allOf(other), Buffer.alloc(0))
})

test('each failure in a row holds the answer back for twice as long, up to a limit; a success ends that', async (t) => {
  const port = await freePort()
  const device = await started(t, { server: { host: 'localhost', port } })
  const fail = async (): Promise<void> => {
    const socket = device.enter()
    socket.write(connectPacket[4])
    await allOf(socket)
  }
  for (let times = 0; times < 8; times++) await fail()
  assert.deepEqual(device.holds, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  assert.equal(deviceLimits.proxyHoldMsMax, 5_000)
})

test('before there is a credential clients hear that the server is not available', async (t) => {
  const server = await startAskingServer(t, ofHub, {}, echo)
  const device = await started(t, { server: { host: 'localhost', port: server.port } })
  const early = device.enter()
  early.write(connectPacket[4])
  assert.deepEqual(await allOf(early), Buffer.of(0x20, 2, 0, 3))
  assert.equal((await device.reported('failed')).problem.code, 'credential-missing')
  putCredential(authority, device.directory, 'pump-7')
  device.enter()
  await device.reported('opened')
})

test('a certificate that names no hub needs a server to be named', async (t) => {
  const device = await started(t)
  putCredential(authority, device.directory, 'pump-7', null)
  device.enter().end()
  assert.equal((await device.reported('failed')).problem.code, 'proxy-server-unknown')
})

test('what a server says of its refusal is reported', async (t) => {
  const server = await startAskingServer(t, ofHub, {}, (socket) =>
    socket.once('data', () => socket.end(Buffer.of(0x20, 2, 0, 5))),
  )
  const device = await started(t, { server: { host: 'localhost', port: server.port } })
  putCredential(authority, device.directory, 'pump-7')
  const socket = device.enter()
  socket.write(connectPacket[4])
  assert.deepEqual(await allOf(socket), Buffer.of(0x20, 2, 0, 5))
  const { packet, code, sentence } = await device.reported('refused')
  assert.deepEqual([packet, code, sentence], ['CONNACK', 5, 'not authorised'])
})

test('more connections than may be are closed, and one that ends makes room', async (t) => {
  const server = await startAskingServer(t, ofHub, {}, echo)
  const device = await started(t, { server: { host: 'localhost', port: server.port }, connectionsMax: 1 })
  putCredential(authority, device.directory, 'pump-7')
  const first = device.enter()
  await device.reported('opened')
  assert.deepEqual(await allOf(device.enter()), Buffer.alloc(0))
  assert.deepEqual(await allOf(device.enter()), Buffer.alloc(0))
  const full = device.events.filter((event) => event.kind === 'full')
  assert.deepEqual(
    full.map(({ problem }) => problem.code),
    ['proxy-full'],
    'told once',
  )
  first.destroy()
  await device.reported('closed')
  device.enter()
  await server.saw(2)
})

test('a unix socket lets in whom its mode says, takes the place of one that was left behind, and is taken away', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'mqtt.sock')
  const addresses = [parseLocalAddress(path)]
  const server = await startAskingServer(t, ofHub, {}, echo)
  const device = await started(t, { server: { host: 'localhost', port: server.port }, addresses, socketMode: 0o660 })
  putCredential(authority, device.directory, 'pump-7')
  assert.equal(statSync(path).mode & 0o777, 0o660)
  const socket = device.enter()
  socket.end('over a file')
  assert.equal(String(await allOf(socket)), 'over a file')
  await assert.rejects(started(t, { addresses }), { code: 'proxy-address-unusable' })
  device.proxy.close()
  assert.equal(existsSync(path), false)
  writeFileSync(path, 'precious')
  await assert.rejects(started(t, { addresses }), { code: 'proxy-address-unusable' })
  assert.ok(existsSync(path))
})

test('where one of several addresses is taken, none of them listens', async (t) => {
  const taken = await started(t)
  const path = join(temporaryFolder(t), 'mqtt.sock')
  const addresses = [parseLocalAddress(path), ...taken.proxy.addresses]
  await assert.rejects(started(t, { addresses }), { code: 'proxy-address-unusable' })
  assert.equal(existsSync(path), false)
})
