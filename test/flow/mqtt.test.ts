/** MQTT as devices use it: a real hub, and MQTT.js in both versions. */
// one database: messages are the broker's, which is the same
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as elapse } from 'node:timers/promises'
import type { IClientOptions, IConnackPacket, IPublishPacket, MqttClient } from 'mqtt'
import mqtt from 'mqtt'
import type { AttemptView, PageView } from '../../src/api-schema/views.ts'
import { type DeviceFiles, type HubProcess, startHubProcess } from '../support/hub-process.ts'
import { clientOptions, connected, nextEvent } from '../support/mqtt-client.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Version = 4 | 5

const own = 'devices/pump-7'

/** Everything that a client is given, in order. */
class Inbox {
  readonly #packets: IPublishPacket[] = []
  #wakeUp: () => void = () => {}

  constructor(client: MqttClient) {
    client.on('message', (_topic, _payload, packet) => {
      this.#packets.push(packet)
      this.#wakeUp()
    })
  }

  async next(): Promise<IPublishPacket> {
    for (;;) {
      const packet = this.#packets.shift()
      if (packet !== undefined) return packet
      await new Promise<void>((resolve) => {
        this.#wakeUp = resolve
      })
    }
  }

  /** The next so many, as "payload QoS" each. */
  async brief(count: number): Promise<string[]> {
    const seen: string[] = []
    while (seen.length < count) {
      const { payload, qos, retain } = await this.next()
      seen.push(`${payload.toString()} ${qos}${retain ? ' retained' : ''}`)
    }
    return seen
  }
}

/** Makes clients of one hub, and ends them. */
class Fleet {
  readonly #hub: HubProcess
  readonly #clients: MqttClient[] = []

  constructor(hub: HubProcess) {
    this.#hub = hub
  }

  async client(files: DeviceFiles, version: Version, change: IClientOptions = {}): Promise<MqttClient> {
    const client = await connected({ ...clientOptions(this.#hub.mqtt.port, files, version), ...change })
    this.#clients.push(client)
    return client
  }

  /** A client of a session that lasts, with its CONNACK and what comes with it. */
  async lasting(
    files: DeviceFiles,
    version: Version,
    clientId: string,
    change: IClientOptions = {},
  ): Promise<{ client: MqttClient; inbox: Inbox; sessionPresent: boolean }> {
    const properties = version === 5 ? { sessionExpiryInterval: 600 } : {}
    const client = mqtt.connect({
      ...clientOptions(this.#hub.mqtt.port, files, version),
      clientId,
      clean: false,
      ...(version === 5 ? { properties } : {}),
      ...change,
    })
    this.#clients.push(client)
    const inbox = new Inbox(client)
    const { sessionPresent } = await connackOf(client)
    return { client, inbox, sessionPresent }
  }

  end(): void {
    for (const client of this.#clients) client.end(true)
  }
}

function connackOf(client: MqttClient): Promise<IConnackPacket> {
  return new Promise((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
  })
}

/** A client's TCP connection breaks: no DISCONNECT is sent. */
async function breakOff(client: MqttClient): Promise<void> {
  const closes = nextEvent(client, 'close')
  client.stream.destroy()
  await closes
}

suite('MQTT through a hub', { timeout: 120_000 }, () => {
  for (const version of [4, 5] as const) {
    test(`of version ${version === 4 ? '3.1.1' : '5'}`, async (t) => {
      const folder = temporaryFolder(t)
      const hub = await startHubProcess(t, { data: join(folder, 'data') })
      const pump = await hub.enrolled('pump-7', join(folder, 'pump-7'))
      const valve = await hub.enrolled('valve-1', join(folder, 'valve-1'))
      const fleet = new Fleet(hub)
      t.after(() => fleet.end())
      const writer = await fleet.client(pump, version)
      const reader = await fleet.client(pump, version)
      const inbox = new Inbox(reader)

      await t.test('carries messages of QoS 0, 1 and 2, and delivers them at the QoS that was granted', async () => {
        for (const granted of [0, 1, 2] as const) {
          const topic = `${own}/qos${granted}`
          await reader.subscribeAsync(`${topic}/#`, { qos: granted })
          for (const qos of [0, 1, 2] as const) await writer.publishAsync(`${topic}/x`, `m${qos}`, { qos })
          const expected = [0, 1, 2].map((qos) => `m${qos} ${Math.min(qos, granted)}`)
          assert.deepEqual((await inbox.brief(3)).toSorted(), expected)
        }
      })

      await t.test('crosses to the other version and back', async () => {
        const other = await fleet.client(pump, version === 4 ? 5 : 4)
        const others = new Inbox(other)
        await other.subscribeAsync(`${own}/cross/there`, { qos: 2 })
        await reader.subscribeAsync(`${own}/cross/back`, { qos: 2 })
        for (const qos of [0, 1, 2] as const) {
          await writer.publishAsync(`${own}/cross/there`, 'there', { qos })
          assert.deepEqual(await others.brief(1), [`there ${qos}`])
          await other.publishAsync(`${own}/cross/back`, 'back', { qos })
          assert.deepEqual(await inbox.brief(1), [`back ${qos}`])
        }
      })

      await t.test('keeps the last retained message of a topic until an empty one clears it', async () => {
        const topic = `${own}/state`
        const arrivals = async () => {
          const client = await fleet.client(pump, version)
          const seen = new Inbox(client)
          await client.subscribeAsync([`${own}/+`], { qos: 1 })
          // Retained messages come before what is published later.
          await writer.publishAsync(`${own}/end`, 'end', { qos: 1 })
          const all: string[] = []
          while (all.at(-1) !== 'end 1') all.push(...(await seen.brief(1)))
          await client.endAsync()
          return all.slice(0, -1)
        }
        await writer.publishAsync(topic, 'on', { qos: 1, retain: true })
        assert.deepEqual(await arrivals(), ['on 1 retained'])
        await writer.publishAsync(topic, 'off', { qos: 0, retain: true })
        assert.deepEqual(await arrivals(), ['off 0 retained'])
        await writer.publishAsync(topic, '', { qos: 1, retain: true })
        assert.deepEqual(await arrivals(), [])
      })

      await t.test('sends the will of a client that is lost, and not of one that says goodbye', async () => {
        await reader.subscribeAsync(`${own}/will`, { qos: 1 })
        const will = (payload: string): IClientOptions => ({
          will: { topic: `${own}/will`, payload: Buffer.from(payload), qos: 1, retain: false },
        })
        await (await fleet.client(pump, version, will('polite'))).endAsync()
        await breakOff(await fleet.client(pump, version, will('lost')))
        assert.deepEqual(await inbox.brief(1), ['lost 1'])
      })

      await t.test('ends an unsubscribed filter', async () => {
        await reader.subscribeAsync([`${own}/some`, `${own}/last`], { qos: 1 })
        await reader.unsubscribeAsync(`${own}/some`)
        await writer.publishAsync(`${own}/some`, 'nobody wants it', { qos: 1 })
        await writer.publishAsync(`${own}/last`, 'last', { qos: 1 })
        assert.deepEqual(await inbox.brief(1), ['last 1'])
      })

      await t.test(
        'forgets a clean session, and keeps what a lasting one missed at QoS 1 and 2, in order',
        async () => {
          const filter = `${own}/missed/#`
          const before = await fleet.lasting(pump, version, 'keeper')
          assert.equal(before.sessionPresent, false)
          await before.client.subscribeAsync(filter, { qos: 2 })
          await breakOff(before.client)
          const clean = await fleet.client(pump, version, { clientId: 'forgetter' })
          await clean.subscribeAsync(filter, { qos: 2 })
          await clean.endAsync()
          const missed = [0, 1, 2, 1, 2] as const
          for (const [n, qos] of missed.entries()) await writer.publishAsync(`${own}/missed/x`, `${n}`, { qos })

          const after = await fleet.lasting(pump, version, 'keeper')
          assert.equal(after.sessionPresent, true)
          await writer.publishAsync(`${own}/missed/x`, 'now', { qos: 1 })
          // MQTT.js hands over a message of QoS 2 when it is released.
          const arrived = await after.inbox.brief(5)
          assert.deepEqual(
            arrived.filter((message) => message.endsWith('1')),
            ['1 1', '3 1', 'now 1'],
          )
          assert.deepEqual(
            arrived.filter((message) => message.endsWith('2')),
            ['2 2', '4 2'],
          )
          await after.client.endAsync()
          const forgetter = await fleet.lasting(pump, version, 'forgetter')
          assert.equal(forgetter.sessionPresent, false)
          await forgetter.client.subscribeAsync(`${own}/again`, { qos: 1 })
          await writer.publishAsync(`${own}/again`, 'first', { qos: 1 })
          assert.deepEqual(await forgetter.inbox.brief(1), ['first 1'])

          const wiped = await fleet.lasting(pump, version, 'keeper', { clean: true })
          assert.equal(wiped.sessionPresent, false)
          await wiped.client.subscribeAsync(`${own}/again`, { qos: 1 })
          await writer.publishAsync(`${own}/missed/x`, 'nobody wants it', { qos: 1 })
          await writer.publishAsync(`${own}/again`, 'second', { qos: 1 })
          assert.deepEqual(await wiped.inbox.brief(1), ['second 1'])
        },
      )

      await t.test('hands a client id over within an identity, with its session, and not between two', async () => {
        const first = await fleet.lasting(pump, version, 'shared')
        const foreign = await fleet.lasting(valve, version, 'shared')
        assert.equal(foreign.sessionPresent, false)
        await first.client.subscribeAsync(`${own}/taken`, { qos: 1 })
        const closes = nextEvent(first.client, 'close')
        const told = version === 5 ? nextEvent(first.client, 'disconnect') : null
        const second = await fleet.lasting(pump, version, 'shared')
        await closes
        if (told !== null) assert.equal(((await told) as { reasonCode?: number }).reasonCode, 0x8e)
        assert.equal(second.sessionPresent, true)
        await writer.publishAsync(`${own}/taken`, 'mine', { qos: 1 })
        assert.deepEqual(await second.inbox.brief(1), ['mine 1'])
        await foreign.client.subscribeAsync('devices/valve-1/x', { qos: 1 })
        await foreign.client.publishAsync('devices/valve-1/x', 'still here', { qos: 1 })
        assert.deepEqual(await foreign.inbox.brief(1), ['still here 1'])
      })

      await t.test('ends a client that is silent for longer than 1.5 times its keep-alive', async () => {
        const options = { keepalive: 1, reschedulePings: false, clientId: 'sleeper' }
        const client = await fleet.client(pump, version, options)
        // The device hangs: it sends nothing any more, not even pings.
        client.sendPing = () => {}
        // Nor does it notice its own silence, which MQTT.js would at the same moment as the hub.
        client.onKeepaliveTimeout = () => {}
        const told = version === 5 ? nextEvent(client, 'disconnect') : null
        await nextEvent(client, 'close')
        if (told !== null) assert.equal(((await told) as { reasonCode?: number }).reasonCode, 0x8d)
        const { items } = await hub.json<PageView<AttemptView>>(['attempts', '--device', 'pump-7', '--limit', '1'])
        assert.equal(items[0]?.code, 'keep-alive-timeout')
      })

      await t.test('gives a client without an id one of its own', async () => {
        const client = mqtt.connect({ ...clientOptions(hub.mqtt.port, pump, version), clientId: '' })
        const connack = await connackOf(client)
        const seen = new Inbox(client)
        await client.subscribeAsync(`${own}/nameless`, { qos: 1 })
        await client.publishAsync(`${own}/nameless`, 'x', { qos: 1 })
        assert.deepEqual(await seen.brief(1), ['x 1'])
        if (version === 5) assert.match(connack.properties?.assignedClientIdentifier ?? '', /^[0-9a-f]{16}$/)
        await client.endAsync()
      })

      if (version === 5) await t.test('of version 5 alone', (inner) => versionFiveAlone(inner, fleet, pump, writer))
    })
  }
})

interface Steps {
  test(name: string, body: () => Promise<void>): Promise<void>
}

async function versionFiveAlone(t: Steps, fleet: Fleet, pump: DeviceFiles, writer: MqttClient): Promise<void> {
  await t.test('a session ends when its expiry is over', async () => {
    const properties = { sessionExpiryInterval: 1 }
    const { client } = await fleet.lasting(pump, 5, 'brief', { properties })
    await breakOff(client)
    const soon = await fleet.lasting(pump, 5, 'brief', { properties })
    assert.equal(soon.sessionPresent, true)
    await breakOff(soon.client)
    await elapse(1_500)
    assert.equal((await fleet.lasting(pump, 5, 'brief', { properties })).sessionPresent, false)
  })

  await t.test('a message keeps its properties on its way, also while it waits', async () => {
    const properties = {
      userProperties: { site: ['north', 'south'], unit: 'K' },
      contentType: 'application/json',
      responseTopic: `${own}/answers`,
      correlationData: Buffer.from([1, 2, 3]),
      payloadFormatIndicator: true,
      messageExpiryInterval: 100,
    }
    const { client, inbox } = await fleet.lasting(pump, 5, 'reader')
    await client.subscribeAsync(`${own}/rich`, { qos: 1, properties: { subscriptionIdentifier: 9 } })
    await writer.publishAsync(`${own}/rich`, '{}', { qos: 1, properties })
    const live = await inbox.next()
    await breakOff(client)
    await writer.publishAsync(`${own}/rich`, '{}', { qos: 1, properties })
    const waited = await (await fleet.lasting(pump, 5, 'reader')).inbox.next()
    for (const packet of [live, waited]) {
      const { messageExpiryInterval = 0, userProperties, ...rest } = packet.properties ?? {}
      const { messageExpiryInterval: _, userProperties: sent, ...expected } = properties
      assert.deepEqual({ ...rest }, { ...expected, subscriptionIdentifier: 9 })
      assert.deepEqual({ ...userProperties }, sent)
      assert.ok(messageExpiryInterval > 90 && messageExpiryInterval <= 100)
    }
  })

  await t.test('a message that expires while it waits is not delivered', async () => {
    const { client } = await fleet.lasting(pump, 5, 'late')
    await client.subscribeAsync(`${own}/late`, { qos: 1 })
    // The hub ends the connection too, so it knows that the client is away before anything is published.
    await client.endAsync()
    await writer.publishAsync(`${own}/late`, 'old', { qos: 1, properties: { messageExpiryInterval: 1 } })
    await writer.publishAsync(`${own}/late`, 'lasting', { qos: 1 })
    await elapse(1_200)
    assert.deepEqual(await (await fleet.lasting(pump, 5, 'late')).inbox.brief(1), ['lasting 1'])
  })

  await t.test('a share is refused by itself', async () => {
    await assert.rejects(
      writer.subscribeAsync(`$share/g/${own}/x`),
      (error: { packet?: { granted?: readonly number[] } }) => {
        assert.deepEqual(error.packet?.granted, [0x9e])
        return true
      },
    )
  })
}
