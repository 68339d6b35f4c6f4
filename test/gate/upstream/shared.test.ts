/** The upstream of a hub, shared with gate processes over a private socket. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import mqtt from 'mqtt-packet'
import { limits } from '../../../src/core/limits.ts'
import { type Connect, parseConnect } from '../../../src/core/mqtt/connect.ts'
import { startEmbeddedUpstream } from '../../../src/gate/upstream/embedded/embedded-upstream.ts'
import { FrameLink } from '../../../src/gate/upstream/embedded/link.ts'
import { framePort } from '../../../src/gate/upstream/shared/frame-socket.ts'
import { encodeIntroduction } from '../../../src/gate/upstream/shared/introduction.ts'
import { openSharedUpstream } from '../../../src/gate/upstream/shared/shared-upstream.ts'
import { hostUpstream } from '../../../src/gate/upstream/shared/upstream-host.ts'
import type { Log } from '../../../src/hub/ports/log.ts'
import type { Upstream } from '../../../src/hub/ports/upstream.ts'
import { upstreamContract } from '../../contract/upstream.ts'
import { UpstreamClient } from '../../contract/upstream-client.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const log: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A hub with its broker, and what a gate process sees of it; stopping that stops all. */
async function shared(path: string): Promise<Upstream> {
  const upstream = await startEmbeddedUpstream({ log })
  const host = await hostUpstream({ upstream, log }, path)
  const gate = await openSharedUpstream({ way: { path }, abilities: upstream.abilities })
  return {
    abilities: gate.abilities,
    isAvailable: () => gate.isAvailable(),
    connect: (client, listener) => gate.connect(client, listener),
    async stop() {
      await gate.stop()
      await host.stop()
      await upstream.stop()
    },
  }
}

const folder = temporaryFolder({ after })
let sockets = 0
upstreamContract('shared', () => shared(join(folder, `${++sockets}.sock`)))

test('messages go between clients of two gates, and a client id moves from one gate to the other', async (t) => {
  const path = join(temporaryFolder(t), 'gates.sock')
  const upstream = await startEmbeddedUpstream({ log })
  t.after(() => upstream.stop())
  const host = await hostUpstream({ upstream, log }, path)
  t.after(() => host.stop())
  const [one, two] = await Promise.all([
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
  ])
  t.after(() => Promise.all([one.stop(), two.stop()]))
  assert.equal(statSync(path).mode & 0o777, 0o600)

  const first = new UpstreamClient(one, 5)
  await first.connect({ clientId: 'pump-7/a' })
  const second = new UpstreamClient(two, 5)
  await second.connect({ clientId: 'pump-7/a' })
  await first.until(() => first.ended === false)
  assert.equal(second.ended, null)
})

test('the end of a gate ends its connections and nobody else, and the end of the hub is told as broken', async (t) => {
  const path = join(temporaryFolder(t), 'gates.sock')
  const upstream = await startEmbeddedUpstream({ log })
  t.after(() => upstream.stop())
  const host = await hostUpstream({ upstream, log }, path)
  const [one, two] = await Promise.all([
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
    openSharedUpstream({ way: { path }, abilities: upstream.abilities }),
  ])
  const other = new UpstreamClient(two, 4)
  await other.connect({ clientId: 'other' })
  const gone = new UpstreamClient(one, 4)
  await gone.connect({ clientId: 'gone' })
  await one.stop()
  assert.equal(other.ended, null)
  await host.stop()
  await other.until(() => other.ended === true)
  assert.equal(two.isAvailable(), false)
  await two.stop()
})

test('a gate that sends what is no frame is cut off', async (t) => {
  const path = join(temporaryFolder(t), 'gates.sock')
  const upstream = await startEmbeddedUpstream({ log })
  t.after(() => upstream.stop())
  const host = await hostUpstream({ upstream, log }, path)
  t.after(() => host.stop())
  const socket = connect({ path })
  socket.resume()
  socket.write(Buffer.from([1, 0, 0, 0, 0, 0, 0, 9]))
  await new Promise((resolve) => socket.once('close', resolve))
  assert.equal(upstream.isAvailable(), true)
})

test('without a hub there is no upstream', async (t) => {
  await assert.rejects(
    openSharedUpstream({
      way: { path: join(temporaryFolder(t), 'none.sock') },
      abilities: {} as Upstream['abilities'],
    }),
    { code: 'upstream-unavailable' },
  )
})

/** A gate that says what it pleases, over a socket of its own. */
async function rogue(t: TestContext): Promise<{ socket: Socket; link: FrameLink; upstream: Upstream }> {
  const path = join(temporaryFolder(t), 'gates.sock')
  const upstream = await startEmbeddedUpstream({ log })
  t.after(() => upstream.stop())
  const host = await hostUpstream({ upstream, log }, path)
  t.after(() => host.stop())
  const socket = connect({ path })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await new Promise((resolve) => socket.once('data', resolve))
  socket.resume()
  return { socket, link: new FrameLink(framePort(socket)), upstream }
}

const client = {
  ...{ identityId: 'pump-7', owner: 'pump-7', clientId: 'a', keepAliveSec: 0 },
  connect: parseConnect(
    mqtt.generate({ cmd: 'connect', clientId: 'a', protocolId: 'MQTT', protocolVersion: 4 }),
  ) as Connect,
}

const rogues: Readonly<Record<string, (link: FrameLink, socket: Socket) => void>> = {
  'sends more than it has credit for'(link) {
    link.open(1)
    link.data(1, encodeIntroduction(client))
    const publish = mqtt.generate({
      cmd: 'publish',
      topic: 't',
      payload: Buffer.alloc(200_000),
      qos: 0,
      retain: false,
      dup: false,
      messageId: 0,
    })
    for (let each = 0; each < 200; each++) link.data(1, publish)
  },
  'begins a frame without end'(_link, socket) {
    const head = Buffer.alloc(8)
    head.writeUInt32LE(1, 0)
    head.writeUInt32LE(((2 << 24) | 0xff_ffff) >>> 0, 4)
    socket.write(head)
    socket.write(Buffer.alloc(2 * limits.sharedFrameBytesMax))
  },
  'introduces an identity whose id is none'(link) {
    link.open(1)
    link.data(1, encodeIntroduction({ ...client, identityId: '../#' }))
  },
  'introduces a client id that is no text of MQTT'(link) {
    link.open(1)
    link.data(1, encodeIntroduction({ ...client, clientId: 'a\u0000b' }))
  },
}
for (const [what, act] of Object.entries(rogues)) {
  test(`a gate that ${what} is cut off, and the broker goes on`, async (t) => {
    const { socket, link, upstream } = await rogue(t)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    act(link, socket)
    await closed
    assert.equal(upstream.isAvailable(), true)
  })
}
