/** The clauses of MQTT about deliveries and sessions that brokers get wrong most easily: every upstream must hold them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IPublishPacket } from 'mqtt-packet'
import type { Upstream } from '../../src/hub/ports/upstream.ts'
import { UpstreamClient, type Version } from './upstream-client.ts'

type Arrive = (clientId: string, version?: Version) => Promise<UpstreamClient>

/** Where a broker that is not ours goes its own way: the specification lets it, or it has a fault that is known. */
export type Difference = 'copy for each filter' | 'receive maximum'

export function subscriptionContract(
  upstream: () => Upstream,
  arrive: Arrive,
  differences: ReadonlySet<Difference>,
): void {
  // A server may send one copy for each subscription that matches (MQTT 5 §3.3.4).
  const skip = differences.has('copy for each filter')

  test('a message is delivered once, at the highest QoS that matching filters grant, wildcards or not (MQTT-3.8.4-6)', {
    skip,
  }, async () => {
    const publisher = await arrive('granted-p')
    for (const [filters, expected] of [
      [[['granted/#', 1]], 1],
      [[['granted/+', 0]], 0],
      // The other order too: the one that comes first decides nothing.
      [
        [
          ['granted/#', 0],
          ['granted/x', 1],
        ],
        1,
      ],
      [
        [
          ['granted/#', 2],
          ['granted/x', 0],
        ],
        2,
      ],
      [
        [
          ['granted/x', 1],
          ['granted/+', 0],
          ['granted/#', 1],
        ],
        1,
      ],
    ] as const) {
      const subscriber = await arrive('granted-s')
      for (const [filter, qos] of filters) await subscriber.subscribe(filter, qos)
      await Promise.all([
        publisher.publish('granted/x', 'once', { qos: 2 }),
        subscriber.receive().then((packet) => assert.equal(packet.qos, expected)),
      ])
      await publisher.publish('granted/x', 'end', { qos: 2 })
      assert.equal((await subscriber.receive()).payload.toString(), 'end')
      subscriber.connection.close()
    }
    publisher.connection.close()
  })

  test('a message that comes through several subscriptions names the identifier of each (MQTT-3.3.4-4)', {
    skip,
  }, async () => {
    const client = await arrive('identifiers')
    for (const [topic, subscriptionIdentifier] of [
      ['identifiers/#', 7],
      ['identifiers/+', 200],
    ] as const) {
      const subscriptions = [{ topic, qos: 0 as const, nl: false, rap: false, rh: 0 }]
      const properties = { subscriptionIdentifier }
      client.send({ cmd: 'subscribe', messageId: client.nextMessageId(), subscriptions, properties })
      await client.next('suback')
    }
    await client.publish('identifiers/x', 'x')
    const named = (await client.receive()).properties?.subscriptionIdentifier as unknown
    assert.deepEqual((named as number[]).toSorted(), [200, 7])
    client.connection.close()
  })

  test('No Local keeps the own messages of a client from it, and those alone', async () => {
    const client = await arrive('local')
    const other = await arrive('local-other')
    const subscriptions = [{ topic: 'local', qos: 1 as const, nl: true, rap: false, rh: 0 }]
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
    await client.next('suback')
    await client.publish('local', 'mine', { qos: 1 })
    await other.publish('local', 'theirs', { qos: 1 })
    assert.equal((await client.receive()).payload.toString(), 'theirs')
    for (const each of [client, other]) each.connection.close()
  })

  test('"+" matches an empty level, of live, retained and kept messages alike (MQTT-4.7.1-3)', async () => {
    const publisher = await arrive('empty-p', 4)
    const comeBack = async () => {
      const client = new UpstreamClient(upstream(), 4)
      await client.connect({ clientId: 'empty-s', clean: false })
      return client
    }
    const again = await comeBack()
    await again.subscribe('empty/+/end', 1)
    await publisher.publish('empty//end', 'live', { qos: 1 })
    assert.equal((await again.receive()).payload.toString(), 'live')
    again.connection.close()
    await publisher.publish('empty//end', 'kept', { qos: 1, retain: true })
    const last = await comeBack()
    assert.equal((await last.receive()).payload.toString(), 'kept')
    await last.subscribe('empty/+/+', 1)
    assert.equal((await last.receive()).retain, true)
    await publisher.publish('empty//end', '', { retain: true })
    for (const each of [publisher, last]) each.connection.close()
  })
}

export function publishContract(upstream: () => Upstream, arrive: Arrive): void {
  test('DUP of a publisher does not go on to subscribers (MQTT-3.3.1-3)', async () => {
    const publisher = await arrive('dup-p', 4)
    const subscriber = await arrive('dup-s', 4)
    await subscriber.subscribe('dup/0', 0)
    await subscriber.subscribe('dup/1', 1)
    for (const topic of ['dup/0', 'dup/1']) {
      await publisher.publish(topic, 'x', { qos: 1, dup: true })
      assert.equal((await subscriber.receive()).dup, false)
    }
    for (const each of [publisher, subscriber]) each.connection.close()
  })

  test('what a client has sent before the gate closes its connection is taken, and its will comes after it', async () => {
    const watcher = await arrive('before-w')
    await watcher.subscribe('before', 0)
    const client = new UpstreamClient(upstream(), 4)
    const will = { topic: 'before', payload: Buffer.from('will'), qos: 0 as const, retain: false }
    await client.connect({ clientId: 'before-c', will })
    await client.publish('before', 'last')
    client.connection.close()
    assert.equal((await watcher.receive()).payload.toString(), 'last')
    assert.equal((await watcher.receive()).payload.toString(), 'will')
    watcher.connection.close()
  })

  test('a delayed will is delivered without its delay, which concerns the broker alone', async () => {
    const watcher = await arrive('delay-w')
    await watcher.subscribe('delay', 1)
    const client = new UpstreamClient(upstream(), 5)
    const will = {
      topic: 'delay',
      payload: Buffer.from('gone'),
      qos: 1 as const,
      retain: false,
      properties: { willDelayInterval: 1, contentType: 'text/plain' },
    }
    await client.connect({ clientId: 'delay-c', will, properties: { sessionExpiryInterval: 1 } })
    client.connection.close()
    const { payload, properties } = await watcher.receive()
    assert.equal(payload.toString(), 'gone')
    // An upstream may say whose will it is.
    const { userProperties: _, ...others } = { ...properties }
    assert.deepEqual(others, { contentType: 'text/plain' })
    watcher.connection.close()
  })

  for (const version of [4, 5] as const) {
    test(`a clean session of version ${version} does not remember the packet identifiers of an earlier one`, async () => {
      const clientId = `forgets-${version}`
      const watcher = await arrive(`${clientId}-w`)
      await watcher.subscribe(clientId, 2)
      for (const payload of ['first', 'second']) {
        const client = await arrive(clientId, version)
        const message = { cmd: 'publish', topic: clientId, payload, qos: 2, dup: false, retain: false } as const
        client.send({ ...message, messageId: 5 })
        await client.next('pubrec')
        if (payload === 'second') client.send({ cmd: 'pubrel', messageId: 5 })
        // A broker may deliver a message when it comes or when it is released (MQTT-4.3.3-2): the first may never be seen.
        if (payload === 'second') while ((await watcher.receive()).payload.toString() !== payload);
        client.connection.close()
      }
      watcher.connection.close()
    })
  }

  test('a message of QoS 2 that is sent twice before its release is delivered once (MQTT-4.3.3-2)', async () => {
    const client = await arrive('twice-sent')
    await client.subscribe('twice-sent', 0)
    const message = { cmd: 'publish', topic: 'twice-sent', qos: 2, retain: false, messageId: 5 } as const
    client.send({ ...message, payload: 'first', dup: false })
    await client.next('pubrec')
    client.send({ ...message, payload: 'first', dup: true })
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 5 })
    await client.next('pubcomp')
    client.send({ ...message, payload: 'next', dup: false })
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 5 })
    assert.equal((await client.receive()).payload.toString(), 'first')
    assert.equal((await client.receive()).payload.toString(), 'next')
    client.connection.close()
  })
}

export function keptSessionContract(upstream: () => Upstream, arrive: Arrive): void {
  for (const version of [4, 5] as const) {
    const lasting = version === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}
    const comeBack = async (clientId: string, clean = false) => {
      const client = new UpstreamClient(upstream(), version)
      const { sessionPresent } = await client.connect({ clientId, clean, ...lasting })
      return { client, sessionPresent }
    }

    test(`a session of version ${version} without subscriptions is present too, until a clean start (MQTT-3.2.2-2)`, async () => {
      const clientId = `present-${version}`
      const seen: boolean[] = []
      for (const clean of [false, false, true, false]) {
        const { client, sessionPresent } = await comeBack(clientId, clean)
        seen.push(sessionPresent)
        client.send({ cmd: 'disconnect' })
        await client.until(() => client.ended !== null)
      }
      assert.deepEqual(seen, [false, true, false, version === 5])
      const first = await comeBack(clientId)
      const second = await comeBack(clientId)
      assert.equal(second.sessionPresent, true, 'one that is taken over is present')
      for (const { client } of [first, second]) client.connection.close()
    })

    test(`what a client of version ${version} did not acknowledge comes again, first, with DUP and its identifier (MQTT-4.4.0-1)`, async () => {
      const clientId = `again-${version}`
      const publisher = await arrive(`p-${clientId}`, version)
      const { client } = await comeBack(clientId)
      await client.subscribe(`${clientId}/#`, 2)
      for (const [qos, name] of [
        [1, 'one'],
        [2, 'two'],
        [2, 'half'],
      ] as const) {
        await publisher.publish(`${clientId}/${name}`, name, { qos })
      }
      const sent = [await client.next('publish'), await client.next('publish'), await client.next('publish')]
      assert.deepEqual(sent.map(briefly), ['one 1', 'two 2', 'half 2'])
      const [, , half] = sent
      client.send({ cmd: 'pubrec', messageId: half?.messageId ?? 0 })
      await client.next('pubrel')
      client.connection.close()
      await publisher.publish(`${clientId}/three`, 'three', { qos: 2 })

      const { client: again } = await comeBack(clientId)
      assert.equal((await again.next('pubrel')).messageId, half?.messageId)
      await publisher.publish(`${clientId}/four`, 'four', { qos: 1 })
      const repeated = [await again.next('publish'), await again.next('publish')]
      assert.deepEqual(repeated.map(briefly), ['one 1 dup', 'two 2 dup'])
      assert.deepEqual(
        repeated.map(({ messageId }) => messageId),
        sent.slice(0, 2).map(({ messageId }) => messageId),
      )
      for (const packet of repeated) await again.acknowledge(packet)
      assert.deepEqual([briefly(await again.receive()), briefly(await again.receive())], ['three 2', 'four 1'])
      again.send({ cmd: 'pubcomp', messageId: half?.messageId ?? 0 })
      again.send({ cmd: 'pingreq' })
      await again.next('pingresp')
      again.connection.close()
      const { client: last } = await comeBack(clientId)
      last.send({ cmd: 'pingreq' })
      await last.next('pingresp')
      assert.equal(last.count('publish'), 0, 'nothing comes a third time')
      for (const each of [publisher, last]) each.connection.close()
    })

    test(`a message that waited for a client of version ${version} has the QoS of its filter, and is not retained (MQTT-3.3.1-9)`, async () => {
      const clientId = `waited-${version}`
      const publisher = await arrive(`p-${clientId}`, version)
      const { client } = await comeBack(clientId)
      await client.subscribe(`${clientId}/#`, 1)
      client.connection.close()
      await publisher.publish(`${clientId}/x`, 'x', { qos: 2, retain: true })
      const { client: again } = await comeBack(clientId)
      const packet = await again.receive()
      assert.deepEqual([packet.qos, packet.retain], [1, false])
      await publisher.publish(`${clientId}/x`, '', { retain: true })
      for (const each of [publisher, again]) each.connection.close()
    })

    test(`a retained message of QoS 2 is taken to its end by a lasting session of version ${version}`, async () => {
      const clientId = `retained-${version}`
      const publisher = await arrive(`p-${clientId}`, version)
      await publisher.publish(`${clientId}/x`, 'x', { qos: 2, retain: true })
      const { client } = await comeBack(clientId)
      await client.subscribe(`${clientId}/#`, 2)
      const packet = await client.receive()
      assert.deepEqual([packet.qos, packet.retain], [2, true])
      client.send({ cmd: 'pingreq' })
      await client.next('pingresp')
      assert.equal(client.ended, null)
      await publisher.publish(`${clientId}/x`, '', { retain: true })
      for (const each of [publisher, client]) each.connection.close()
    })
  }
}

export function receiveMaximumContract(
  upstream: () => Upstream,
  arrive: Arrive,
  differences: ReadonlySet<Difference>,
): void {
  const skip = differences.has('receive maximum')
  test('an MQTT 5 client is sent as many unacknowledged messages as it says it takes, and everything in the end (MQTT-3.3.4-9)', {
    skip,
  }, async () => {
    const publisher = await arrive('receive-p')
    const client = new UpstreamClient(upstream(), 5)
    await client.connect({ clientId: 'receive-s', properties: { receiveMaximum: 2 } })
    await client.subscribe('receive/#', 2)
    const topics: string[] = []
    for (let n = 0; n < 6; n++) await publisher.publish(`receive/${n}`, '', { qos: n % 2 === 0 ? 1 : 2 })
    const settled = async () => {
      client.send({ cmd: 'pingreq' })
      await client.next('pingresp')
      return client.count('publish')
    }
    assert.equal(await settled(), 2)
    const first = await client.next('publish')
    const second = await client.next('publish')
    await client.acknowledge(first)
    assert.equal(await settled(), 1)
    // A refusal ends the delivery of a message of QoS 2 as well.
    client.send({ cmd: 'pubrec', messageId: second.messageId ?? 0, reasonCode: 0x80 })
    assert.equal(await settled(), 2)
    topics.push(first.topic, second.topic)
    while (topics.length < 6) topics.push((await client.receive()).topic)
    assert.deepEqual(
      topics,
      ['0', '1', '2', '3', '4', '5'].map((n) => `receive/${n}`),
    )
    for (const each of [publisher, client]) each.connection.close()
  })
}

function briefly({ payload, qos, dup }: IPublishPacket): string {
  return `${payload.toString()} ${qos}${dup ? ' dup' : ''}`
}
