import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import { BroadcastChannel } from 'node:worker_threads'
import { startEmbeddedUpstream } from '../../../src/gate/upstream/embedded/embedded-upstream.ts'
import { FrameBatch, readFrames } from '../../../src/gate/upstream/embedded/frames.ts'
import type { Log } from '../../../src/hub/ports/log.ts'
import type { Upstream } from '../../../src/hub/ports/upstream.ts'
import { upstreamContract } from '../../contract/upstream.ts'
import { UpstreamClient } from '../../contract/upstream-client.ts'
import { mortalChannel } from './mortal-channel.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

upstreamContract('embedded', () => startEmbeddedUpstream({ log: silent }))

describe('the embedded broker', { timeout: 60_000 }, () => {
  const orders = new BroadcastChannel(mortalChannel)
  const errors: string[] = []
  let upstream: Upstream
  before(async () => {
    const log: Log = { ...silent, error: (message) => errors.push(message) }
    const workerFile = new URL('mortal-worker.ts', import.meta.url)
    upstream = await startEmbeddedUpstream({ log, workerFile, heapMebibytesMax: 64 })
  })
  after(async () => {
    orders.close()
    await upstream.stop()
  })

  for (const death of ['throw', 'hang', 'eat memory']) {
    test(`that is told to ${death} breaks its connections and serves new ones when it is back`, async () => {
      const client = new UpstreamClient(upstream, 5)
      await client.connect({ clientId: 'witness' })
      orders.postMessage(death)
      await client.until(() => client.ended !== null)
      assert.equal(client.ended, true)
      assert.equal(upstream.isAvailable(), false)
      await assert.rejects(new UpstreamClient(upstream, 5).connect({ clientId: 'late' }), {
        code: 'upstream-unavailable',
      })
      client.connection.send(Uint8Array.of(0xc0, 0))
      client.connection.resume()
      client.connection.close()
      await untilAvailable(upstream)
      const next = new UpstreamClient(upstream, 5)
      assert.equal((await next.connect({ clientId: 'witness' })).reasonCode, 0)
      next.connection.close()
    })
  }

  test('that has died has been reported each time', () => {
    assert.deepEqual(errors, Array(3).fill('the embedded broker has ended and is started again'))
  })

  test('that cannot start says so and leaves nothing behind', async () => {
    const workerFile = new URL('no-such-worker.ts', import.meta.url)
    await assert.rejects(startEmbeddedUpstream({ log: silent, workerFile }), { code: 'upstream-unavailable' })
  })
})

describe('a client of the embedded broker', { timeout: 20_000 }, () => {
  let upstream: Upstream
  before(async () => {
    upstream = await startEmbeddedUpstream({ log: silent })
  })
  after(() => upstream.stop())

  test('is cut off when it takes nothing for too long, so that those who publish to it go on', async () => {
    const slow = new UpstreamClient(upstream, 5)
    await slow.connect({ clientId: 'slow' })
    await slow.subscribe('flood', 0)
    slow.connection.pause()
    const flood = new UpstreamClient(upstream, 5)
    await flood.connect({ clientId: 'flood' })
    const payload = 'x'.repeat(8 * 1024)
    let waits = 0
    while (slow.ended === null) {
      if (flood.send({ cmd: 'publish', topic: 'flood', payload, qos: 0, dup: false, retain: false })) continue
      const drains = flood.drains
      await flood.until(() => flood.drains > drains)
      waits++
    }
    assert.equal(slow.ended, false)
    assert.ok(waits > 0)
    flood.send({ cmd: 'pingreq' })
    await flood.next('pingresp')
    flood.connection.close()
  })

  test('neither learns of others below $SYS/ nor gives the broker orders there', async () => {
    const spy = new UpstreamClient(upstream, 5)
    await spy.connect({ clientId: 'spy' })
    await spy.subscribe('$SYS/#', 1)
    await spy.subscribe('open', 1)
    const victim = new UpstreamClient(upstream, 5)
    await victim.connect({ clientId: 'victim' })
    await spy.publish('$SYS/other/new/clients', 'victim', { qos: 1 })
    await spy.publish('open', 'the first to arrive', { qos: 1 })
    assert.equal((await spy.receive()).topic, 'open')
    victim.send({ cmd: 'pingreq' })
    await victim.next('pingresp')
    for (const client of [spy, victim]) client.connection.close()
  })

  test('may be silent for longer than its keep-alive, which the gate watches', async () => {
    const client = new UpstreamClient(upstream, 4)
    await client.connect({ clientId: 'silent', keepalive: 1 })
    await elapse(1_800)
    client.send({ cmd: 'pingreq' })
    await client.next('pingresp')
    assert.equal(client.ended, null)
    client.connection.close()
  })
})

describe('frames', () => {
  test('come out as they went in, with the bytes of one connection joined', () => {
    const batch = new FrameBatch()
    const seen: unknown[] = []
    batch.addSign(1, 1)
    batch.addData(1, Uint8Array.of(1, 2))
    batch.addData(1, Uint8Array.of(3))
    batch.addData(0xffff_ffff, Uint8Array.of(4))
    batch.addData(1, new Uint8Array())
    batch.addSign(1, 3, 70_000)
    batch.addSign(1, 4)
    readFrames(batch.take(), {
      onOpen: (connection) => seen.push(['open', connection]),
      onData: (connection, bytes) => seen.push(['data', connection, [...bytes]]),
      onCredit: (connection, bytes) => seen.push(['credit', connection, bytes]),
      onClose: (connection) => seen.push(['close', connection]),
    })
    assert.deepEqual(seen, [
      ['open', 1],
      ['data', 1, [1, 2, 3]],
      ['data', 0xffff_ffff, [4]],
      ['credit', 1, 70_000],
      ['close', 1],
    ])
    assert.equal(batch.isEmpty, true)
    assert.equal(batch.take().byteLength, 0)
  })
})

/** Asks at every turn of the event loop; the test's own time limit ends it. */
async function untilAvailable(upstream: Upstream): Promise<void> {
  while (!upstream.isAvailable()) await new Promise((resolve) => setImmediate(resolve))
}
