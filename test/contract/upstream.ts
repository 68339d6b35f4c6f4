/**
 * What every upstream must do for the gate. An adapter's test calls {@link upstreamContract} with a way to start one.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/core/limits.ts'
import type { Upstream } from '../../src/hub/ports/upstream.ts'
import { UpstreamClient, type Version } from './upstream-client.ts'
import {
  type Difference,
  keptSessionContract,
  publishContract,
  receiveMaximumContract,
  subscriptionContract,
} from './upstream-delivery.ts'

const timeout = 20_000

/** @param differs where the broker goes its own way, which docs/upstreams.md tells of */
export function upstreamContract(
  name: string,
  start: () => Promise<Upstream>,
  differs: readonly Difference[] = [],
): void {
  const differences = new Set(differs)
  describe(`upstream contract: ${name}`, { timeout }, () => {
    let upstream: Upstream
    before(async () => {
      upstream = await start()
    })
    after(() => upstream.stop())
    const arrive = async (clientId: string, version: Version = 5): Promise<UpstreamClient> => {
      const client = new UpstreamClient(upstream, version)
      const connack = await client.connect({ clientId })
      assert.equal(version === 5 ? connack.reasonCode : connack.returnCode, 0)
      return client
    }

    deliveryContract(arrive)
    subscriptionContract(() => upstream, arrive, differences)
    publishContract(() => upstream, arrive)
    sessionContract(() => upstream, arrive)
    keptSessionContract(() => upstream, arrive)
    receiveMaximumContract(() => upstream, arrive, differences)
    pressureContract(arrive)

    test('stopping it ends every connection, and no new one is served', async () => {
      const other = await start()
      assert.equal(other.isAvailable(), true)
      const client = new UpstreamClient(other, 4)
      await client.connect({ clientId: 'last' })
      await other.stop()
      assert.equal(client.ended, false)
      assert.equal(other.isAvailable(), false)
      await assert.rejects(new UpstreamClient(other, 4).connect({ clientId: 'late' }), { code: 'upstream-unavailable' })
    })
  })
}

type Arrive = (clientId: string, version?: Version) => Promise<UpstreamClient>

function deliveryContract(arrive: Arrive): void {
  for (const from of [4, 5] as const) {
    for (const to of [4, 5] as const) {
      test(`messages of QoS 0, 1 and 2 go once from a client of version ${from} to one of version ${to}`, async () => {
        const topic = `qos/${from}/${to}`
        const publisher = await arrive(`p-${topic}`, from)
        const subscriber = await arrive(`s-${topic}`, to)
        await subscriber.subscribe(topic, 2)
        for (const qos of [0, 1, 2] as const) {
          await Promise.all([
            publisher.publish(topic, `message ${qos}`, { qos }),
            subscriber.receive().then((packet) => {
              assert.equal(packet.payload.toString(), `message ${qos}`)
              assert.equal(packet.qos, qos)
              assert.equal(packet.retain, false)
            }),
          ])
        }
        publisher.connection.close()
        subscriber.connection.close()
      })
    }
  }

  test('the properties of an MQTT 5 message reach MQTT 5 subscribers, and MQTT 3.1.1 ones get the message without', async () => {
    const publisher = await arrive('p-properties')
    const modern = await arrive('s-properties-5')
    const old = await arrive('s-properties-4', 4)
    await Promise.all([modern.subscribe('properties', 1), old.subscribe('properties', 1)])
    const properties = {
      userProperties: { site: ['a', 'b'], unit: 'K' },
      contentType: 'application/json',
      responseTopic: 'answers/1',
      correlationData: Buffer.from([1, 2]),
      payloadFormatIndicator: true,
      messageExpiryInterval: 100,
    }
    await publisher.publish('properties', '{}', { qos: 1, properties })
    const { messageExpiryInterval = 0, ...rest } = (await modern.receive()).properties ?? {}
    const { messageExpiryInterval: _, ...expected } = properties
    assert.deepEqual({ ...rest, userProperties: { ...rest.userProperties } }, expected)
    assert.ok(messageExpiryInterval > 90 && messageExpiryInterval <= 100)
    assert.equal((await old.receive()).payload.toString(), '{}')
    for (const client of [publisher, modern, old]) client.connection.close()
  })

  test('a retained message reaches those who subscribe later, until an empty one removes it', async () => {
    const publisher = await arrive('p-retained', 4)
    await publisher.publish('retained/a', 'kept', { qos: 1, retain: true })
    const first = await arrive('s-retained-1')
    await first.subscribe('retained/#', 1)
    const kept = await first.receive()
    assert.equal(kept.payload.toString(), 'kept')
    assert.equal(kept.retain, true)
    await publisher.publish('retained/a', '', { qos: 1, retain: true })
    assert.equal((await first.receive()).payload.length, 0)
    const second = await arrive('s-retained-2')
    await second.subscribe('retained/#', 1)
    await publisher.publish('retained/b', 'fresh', { qos: 1 })
    assert.equal((await second.receive()).topic, 'retained/b')
    for (const client of [publisher, first, second]) client.connection.close()
  })
}

function sessionContract(upstream: () => Upstream, arrive: Arrive): void {
  for (const version of [4, 5] as const) {
    test(`the will of a client of version ${version} is sent when the gate closes its connection, not after a DISCONNECT, be it in the same moment`, async () => {
      const topic = `will/${version}`
      const watcher = await arrive(`w-${topic}`)
      await watcher.subscribe(topic, 1)
      const will = (payload: string) => ({ topic, payload: Buffer.from(payload), qos: 1, retain: false }) as const
      const polite = new UpstreamClient(upstream(), version)
      await polite.connect({ clientId: `polite-${version}`, will: will('never') })
      polite.send({ cmd: 'disconnect' })
      await polite.until(() => polite.ended !== null)
      assert.equal(polite.ended, false)
      const silenced = new UpstreamClient(upstream(), version)
      await silenced.connect({ clientId: `silenced-${version}`, will: will('never') })
      for (let i = 0; i < 20; i++)
        silenced.send({ cmd: 'publish', topic: 'busy', payload: 'x', qos: 0, dup: false, retain: false })
      silenced.send({ cmd: 'disconnect' })
      silenced.connection.close()
      const cut = new UpstreamClient(upstream(), version)
      await cut.connect({ clientId: `cut-${version}`, will: will('cut off') })
      cut.connection.close()
      assert.equal((await watcher.receive()).payload.toString(), 'cut off')
      assert.equal(cut.ended, null, 'onClose is not called after close')
      watcher.connection.close()
    })

    test(`a session of version ${version} keeps subscriptions and messages while its client is away`, async () => {
      const topic = `away/${version}`
      const clientId = `session-${version}`
      const lasting = version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}
      const before = new UpstreamClient(upstream(), version)
      const fresh = await before.connect({ clientId, clean: false, ...lasting })
      assert.equal(fresh.sessionPresent, false)
      await before.subscribe(`${topic}/+`, 2)
      before.send({ cmd: 'disconnect' })
      await before.until(() => before.ended !== null)
      const publisher = await arrive(`p-${topic}`, version)
      for (const qos of [0, 1, 2] as const) await publisher.publish(`${topic}/q${qos}`, 'waits', { qos })
      const again = new UpstreamClient(upstream(), version)
      const resumed = await again.connect({ clientId, clean: false, ...lasting })
      assert.equal(resumed.sessionPresent, true)
      assert.deepEqual([(await again.receive()).topic, (await again.receive()).topic], [`${topic}/q1`, `${topic}/q2`])
      await publisher.publish(`${topic}/live`, 'now', { qos: 1 })
      assert.equal((await again.receive()).topic, `${topic}/live`)
      publisher.connection.close()
      again.connection.close()
    })
  }

  test('a second connection with the same client id ends the first', async () => {
    const first = await arrive('twice')
    const second = await arrive('twice')
    await first.until(() => first.ended !== null)
    assert.equal(first.ended, false)
    second.connection.close()
  })
}

function pressureContract(arrive: Arrive): void {
  test('a client that has been paused gets little more, and nobody else waits for it', async () => {
    const slow = await arrive('slow')
    const quick = await arrive('quick')
    const flood = await arrive('flood')
    const calm = await arrive('calm')
    await Promise.all([slow.subscribe('flood', 0), quick.subscribe('calm', 1)])
    slow.connection.pause()
    const payload = 'x'.repeat(8 * 1024)
    let sent = 0
    let mayGoOn = true
    // Far more than the upstream may hold for one client, or as much as it takes.
    while (mayGoOn && slow.ended === null && sent < 64 * 1024 * 1024) {
      mayGoOn = flood.send({ cmd: 'publish', topic: 'flood', payload, qos: 0, dup: false, retain: false })
      sent += payload.length
      const drains = flood.drains
      if (!mayGoOn) mayGoOn = await drainedWhileCalmGoesOn(flood, drains, calm, quick)
    }
    assert.ok(
      slow.bytesReceived <= 2 * limits.upstreamCreditBytes,
      `${slow.bytesReceived} bytes came to a paused client`,
    )
    await calm.publish('calm', 'after', { qos: 1 })
    assert.equal((await quick.receive()).payload.toString(), 'after')
    for (const client of [slow, quick, flood, calm]) client.connection.close()
  })

  test('a client that is resumed gets everything in order', async () => {
    const reader = await arrive('reader')
    const writer = await arrive('writer')
    await reader.subscribe('order', 1)
    reader.connection.pause()
    const count = 400
    const payload = (n: number) => `${n} ${'y'.repeat(1_000)}`
    for (let n = 0; n < count; n++) {
      if (writer.send({ cmd: 'publish', topic: 'order', payload: payload(n), qos: 0, dup: false, retain: false }))
        continue
      const drains = writer.drains
      await writer.until(() => writer.drains > drains)
    }
    reader.connection.resume()
    for (let n = 0; n < count; n++) assert.equal((await reader.receive()).payload.toString(), payload(n))
    for (const client of [reader, writer]) client.connection.close()
  })
}

/** Two others talk while one waits to go on; false when it still waits after ten of their messages. */
async function drainedWhileCalmGoesOn(
  flood: UpstreamClient,
  drainsBefore: number,
  calm: UpstreamClient,
  quick: UpstreamClient,
): Promise<boolean> {
  for (let n = 0; n < 10; n++) {
    await calm.publish('calm', String(n), { qos: 1 })
    assert.equal((await quick.receive()).payload.toString(), String(n))
    if (flood.drains > drainsBefore) return true
  }
  return false
}
