// needs: openssl
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import mqtt from 'mqtt'
import { limits } from '../../src/core/limits.ts'
import { pump, serverCertificate } from './certificates.ts'
import { rawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const own = 'devices/pump-7/x'
const foreign = 'devices/pump-8/x'

suite('a PUBLISH', { timeout: 20_000 }, () => {
  test('below the own prefix reaches the broker, and packets that came together leave together', async (t) => {
    const { session, upstream } = await testGate(t)
    const client = await session(5)
    const one = { cmd: 'publish', topic: own, payload: Buffer.from('x'), qos: 0 }
    const pieces = upstream.last.pieces.length
    client.send(one, one, one)
    while (upstream.last.received.filter(({ cmd }) => cmd === 'publish').length < 3) await turn()
    assert.equal(upstream.last.pieces.length, pieces + 1)
  })

  test('to another device is answered 0x87 under MQTT 5 and goes no further; the session goes on', async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    const client = await session(5)
    client.send(
      { cmd: 'publish', topic: foreign, payload: 'x', qos: 1, messageId: 1 },
      { cmd: 'publish', topic: foreign, payload: 'x', qos: 2, messageId: 2 },
      { cmd: 'publish', topic: foreign, payload: 'x', qos: 0 },
      { cmd: 'publish', topic: own, payload: 'x', qos: 1, messageId: 3 },
    )
    const puback = await client.next('puback')
    assert.equal(puback.reasonCode, 0x87)
    assert.match((puback.properties as { reasonString: string }).reasonString, /^HF-4101 .*"devices\/pump-8\/x"/)
    assert.equal((await client.next('pubrec')).reasonCode, 0x87)
    assert.equal((await client.next('puback')).messageId, 3)
    assert.equal(upstream.last.received.filter(({ cmd }) => cmd === 'publish').length, 1)
    assert.equal((await attempts.with('publish-denied')).stage, 'policy')
    assert.equal(attempts.all.filter(({ code }) => code === 'publish-denied').length, 1)
  })

  test('again and again is counted each time, and written down once a minute with the statement that decides', async (t) => {
    const { session, attempts, denials, clock } = await testGate(t)
    const client = await session(5)
    const deny = async (messageId: number): Promise<void> => {
      client.send({ cmd: 'publish', topic: foreign, payload: 'x', qos: 1, messageId })
      assert.equal((await client.next('puback')).reasonCode, 0x87)
    }
    const written = () => attempts.all.filter(({ code }) => code === 'publish-denied')
    await deny(1)
    await deny(2)
    assert.equal(written().length, 1)
    assert.match(written()[0]?.sentence ?? '', /"devices\/pump-8\/x": the default policy allows/)
    clock.offsetMs += limits.denialSampledEveryMs
    await deny(3)
    assert.equal(written().length, 2)
    assert.deepEqual(denials, ['publish-denied', 'publish-denied', 'publish-denied'])
  })

  test('that is denied has no Reason String where the client wants none (MQTT-3.1.2-29)', async (t) => {
    const { session } = await testGate(t)
    const client = await session(5, { properties: { requestProblemInformation: false } })
    client.send({ cmd: 'publish', topic: foreign, payload: 'x', qos: 1, messageId: 1 })
    assert.equal((await client.next('puback')).properties, undefined)
  })

  test('to another device ends a session of MQTT 3.1.1, which cannot be told', async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    const client = await session(4)
    client.send({ cmd: 'publish', topic: foreign, payload: 'x', qos: 1, messageId: 1 })
    await client.closed
    assert.equal(upstream.last.isClosed, true)
    await attempts.with('publish-denied')
  })

  test('that is malformed ends the session with the reason', async (t) => {
    const { session, attempts, upstream } = await testGate(t)
    const client = await session(5)
    client.socket.write(Buffer.from('300400013a2b00', 'hex'))
    client.socket.write(Buffer.from('3005000361', 'hex'))
    const farewell = await client.next('disconnect')
    assert.ok((farewell.reasonCode as number) >= 0x80)
    await client.closed
    await attempts.with('packet-malformed')
    assert.equal(upstream.last.isClosed, true)
  })

  test('with a topic alias reaches the broker with its topic in full, and its other properties', async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    const client = await session(5)
    const aliased = (topic: string, messageId: number, topicAlias: number) =>
      ({
        cmd: 'publish',
        topic,
        payload: 'x',
        qos: 1,
        messageId,
        properties: { topicAlias, contentType: 'c' },
      }) as const
    client.send(aliased(own, 1, 1), aliased('', 2, 1), aliased(foreign, 3, 1), aliased('', 4, 1))
    const codes = new Map<unknown, unknown>()
    while (codes.size < 4) {
      const { messageId, reasonCode } = await client.next('puback')
      codes.set(messageId, reasonCode)
    }
    assert.deepEqual(
      [1, 2, 3, 4].map((id) => codes.get(id)),
      [0, 0, 0x87, 0x87],
    )
    const published = upstream.last.received.filter((packet) => packet.cmd === 'publish')
    assert.deepEqual(
      published.map(({ topic, properties }) => [topic, { ...properties }]),
      [1, 2].map(() => [own, { contentType: 'c' }]),
    )
    await attempts.with('publish-denied')
  })

  for (const identityInMessages of [false, true]) {
    const what = identityInMessages ? 'says who has sent it, in words of the gate alone' : 'cannot speak as another'
    test(`${what}, whatever its own user properties say`, async (t) => {
      const { session, upstream } = await testGate(t, { identityInMessages })
      const client = await session(5)
      const says = (userProperties: object, more: object = {}) =>
        ({
          cmd: 'publish',
          topic: own,
          payload: 'x',
          qos: 1,
          messageId: 1,
          properties: { userProperties, ...more },
        }) as const
      const claim = { 'handfast-identity': 'pump-8', 'Handfast-Client-Id': 'b', handfast: 'c', a: ['d', 'e'] }
      client.send(
        says(claim, { contentType: 'c', topicAlias: 1 }),
        { ...says(claim), messageId: 2 },
        { ...says({ a: 'b' }), messageId: 3 },
        { cmd: 'publish', topic: own, payload: 'x', qos: 0 },
        { cmd: 'publish', topic: own, payload: 'y'.repeat(200), qos: 2, messageId: 4 },
      )
      await client.next('pubrec')
      const published = upstream.last.received.filter((packet) => packet.cmd === 'publish')
      const added = identityInMessages ? { 'handfast-identity': 'pump-7', 'handfast-client-id': 'main' } : {}
      assert.deepEqual(
        published.map(({ properties }) => ({ ...properties?.userProperties })),
        [{ handfast: 'c', a: ['d', 'e'] }, { handfast: 'c', a: ['d', 'e'] }, { a: 'b' }, {}, {}].map((kept) => ({
          ...kept,
          ...added,
        })),
      )
      assert.equal(published[0]?.properties?.contentType, 'c')
      assert.deepEqual(
        published.map(({ topic, payload }) => [topic, String(payload).length]),
        [1, 1, 1, 1, 200].map((length) => [own, length]),
      )
    })
  }

  test('that may grow on its way to the broker is announced so much shorter', async (t) => {
    const { port, upstream } = await testGate(t, { identityInMessages: true, limits: { packetBytesMax: 300 } })
    const client = await rawClient(port, pump)
    client.connect()
    const connack = await client.next('connack')
    const most = (connack.properties as { maximumPacketSize: number }).maximumPacketSize
    assert.ok(most < 300)
    // Two bytes of type and length, two of the length of the topic, one of the properties.
    const payload = 'x'.repeat(most - 3 - 2 - own.length - 1)
    client.send({ cmd: 'publish', topic: own, payload, qos: 0 }, { cmd: 'pingreq' })
    await client.next('pingresp')
    assert.equal(((await upstream.last.heard('publish')) as { payload?: Buffer }).payload?.length, payload.length)
  })

  for (const [what, topic, topicAlias, code] of [
    ['beyond the maximum that was announced', own, 17, 0x94],
    ['that stands for no topic yet', '', 3, 0x82],
  ] as const) {
    test(`with a topic alias ${what} ends the session with 0x${code.toString(16)}`, async (t) => {
      const { session } = await testGate(t)
      const client = await session(5)
      client.send({ cmd: 'publish', topic, payload: 'x', qos: 0, properties: { topicAlias } })
      assert.equal((await client.next('disconnect')).reasonCode, code)
    })
  }

  test('beyond the Receive Maximum ends the session with 0x93; what is acknowledged counts no more', async (t) => {
    const { session, upstream } = await testGate(t, { limits: { receiveMaximum: 2 } })
    const client = await session(5)
    const say = (messageId: number, qos: 1 | 2) =>
      client.send({ cmd: 'publish', topic: own, payload: 'x', qos, messageId })
    for (const messageId of [1, 2, 3]) {
      say(messageId, 1)
      await client.next('puback')
    }
    say(4, 2)
    await client.next('pubrec')
    say(5, 2)
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 4 })
    await client.next('pubcomp')
    upstream.mute = new Set(['publish'])
    say(6, 1)
    await upstream.last.heard('pubrel')
    say(7, 1)
    assert.equal((await client.next('disconnect')).reasonCode, 0x93)
  })

  test('over the announced size ends the session with 0x95', async (t) => {
    const { session } = await testGate(t, { limits: { packetBytesMax: 1_000 } })
    const client = await session(5)
    client.send({ cmd: 'publish', topic: own, payload: Buffer.alloc(1_000), qos: 0 })
    assert.equal((await client.next('disconnect')).reasonCode, 0x95)
  })

  test('waits in the client while the broker is full', async (t) => {
    const { session, upstream } = await testGate(t)
    const client = await session(5)
    upstream.last.hasRoom = false
    const one = { cmd: 'publish', topic: own, payload: Buffer.alloc(1_000), qos: 0 }
    client.send(one)
    await upstream.last.heard('publish')
    client.send({ cmd: 'pingreq' })
    for (let i = 0; i < 20; i++) await turn()
    assert.equal(
      upstream.last.received.some(({ cmd }) => cmd === 'pingreq'),
      false,
    )
    upstream.last.hasRoom = true
    upstream.last.listener.onDrain()
    await upstream.last.heard('pingreq')
  })
})

suite('a SUBSCRIBE', { timeout: 20_000 }, () => {
  const mixed = {
    cmd: 'subscribe',
    messageId: 9,
    subscriptions: [
      { topic: foreign, qos: 0 },
      { topic: 'devices/pump-7/#', qos: 1 },
      { topic: '#', qos: 0 },
      { topic: '$share/g/devices/pump-7/+', qos: 2 },
    ],
  }

  test('that is allowed in part reaches the broker in part, and the SUBACK names each filter', async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    const client = await session(5)
    client.send(mixed)
    const suback = await client.next('suback')
    assert.equal(suback.messageId, 9)
    assert.deepEqual(suback.granted, [0x87, 1, 0x87, 2])
    const asked = await upstream.last.heard('subscribe')
    assert.deepEqual(asked.cmd === 'subscribe' && asked.subscriptions.map(({ topic }) => topic), [
      'devices/pump-7/#',
      '$share/g/devices/pump-7/+',
    ])
    await attempts.with('subscribe-denied')
  })

  test('that is allowed in part is answered with 0x80 under MQTT 3.1.1', async (t) => {
    const { session } = await testGate(t)
    const client = await session(4)
    client.send(mixed)
    assert.deepEqual((await client.next('suback')).granted, [0x80, 1, 0x80, 2])
  })

  test('of which nothing is allowed is answered by the gate', async (t) => {
    const { session, upstream } = await testGate(t)
    const client = await session(5)
    client.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'devices/+/x', qos: 0 }] })
    assert.deepEqual((await client.next('suback')).granted, [0x87])
    assert.equal(
      upstream.last.received.some(({ cmd }) => cmd === 'subscribe'),
      false,
    )
  })

  for (const version of [4, 5] as const) {
    test(`that names a filter twice reaches the broker once with the last, and each place is answered in version ${version}`, async (t) => {
      const { session, upstream } = await testGate(t)
      const client = await session(version)
      client.send({
        cmd: 'subscribe',
        messageId: 3,
        subscriptions: [
          { topic: 'devices/pump-7/a', qos: 0 },
          { topic: 'devices/pump-7/b', qos: 2 },
          { topic: 'devices/pump-7/a', qos: 1 },
        ],
      })
      assert.deepEqual((await client.next('suback')).granted, [0, 2, 1])
      const asked = await upstream.last.heard('subscribe')
      assert.deepEqual(asked.cmd === 'subscribe' && asked.subscriptions.map(({ topic, qos }) => [topic, qos]), [
        ['devices/pump-7/b', 2],
        ['devices/pump-7/a', 1],
      ])
    })

    test(`for a share is answered ${version === 5 ? '0x9e' : '0x80'} in version ${version} where the broker has none`, async (t) => {
      const { session, upstream } = await testGate(t)
      upstream.abilities = { ...upstream.abilities, sharedSubscriptions: false }
      const client = await session(version)
      const subscriptions = [
        { topic: '$share/g/devices/pump-7/+', qos: 1 },
        { topic: 'devices/pump-7/x', qos: 1 },
      ]
      client.send({ cmd: 'subscribe', messageId: 3, subscriptions })
      assert.deepEqual((await client.next('suback')).granted, [version === 5 ? 0x9e : 0x80, 1])
    })
  }

  test('of which the broker refuses a filter leaves its place to another, but not that of one it had before', async (t) => {
    const { session, upstream } = await testGate(t, { limits: { subscriptionsPerSessionMax: 1 } })
    const client = await session(5)
    upstream.mute = new Set(['subscribe'])
    const ask = async (name: string, messageId: number, granted: number) => {
      client.send({ cmd: 'subscribe', messageId, subscriptions: [{ topic: `devices/pump-7/${name}`, qos: 1 }] })
      client.send({ cmd: 'publish', topic: own, payload: '', qos: 1, messageId })
      await client.next('puback')
      if (granted !== 0x97) upstream.last.say({ cmd: 'suback', messageId, granted: [granted] })
      return (await client.next('suback')).granted
    }
    assert.deepEqual(await ask('a', 1, 0x80), [0x80])
    assert.deepEqual(await ask('b', 2, 1), [1])
    assert.deepEqual(await ask('b', 3, 0x80), [0x80])
    assert.deepEqual(await ask('c', 4, 0x97), [0x97])
  })

  test('beyond the subscriptions of a session is answered 0x97', async (t) => {
    const { session, denials } = await testGate(t, { limits: { subscriptionsPerSessionMax: 1 } })
    const client = await session(5)
    const to = (topic: string, messageId: number) => ({
      cmd: 'subscribe',
      messageId,
      subscriptions: [{ topic, qos: 0 }],
    })
    client.send(to('devices/pump-7/a', 1))
    assert.deepEqual((await client.next('suback')).granted, [0])
    client.send(to('devices/pump-7/b', 2))
    assert.deepEqual((await client.next('suback')).granted, [0x97])
    assert.deepEqual(denials, ['too-many-subscriptions'])
    client.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['devices/pump-7/a'] }, to('devices/pump-7/b', 4))
    assert.deepEqual((await client.next('suback')).granted, [0])
  })
})

suite('a delivered message', { timeout: 20_000 }, () => {
  test('outside the rights is withheld and acknowledged in the place of the client', async (t) => {
    const { session, upstream } = await testGate(t)
    const client = await session(5)
    upstream.mute = new Set(['pubrec'])
    const broker = upstream.last
    broker.say({ cmd: 'publish', topic: foreign, payload: 'x', qos: 1, messageId: 11 })
    broker.say({ cmd: 'publish', topic: foreign, payload: 'x', qos: 2, messageId: 12 })
    broker.say({ cmd: 'publish', topic: foreign, payload: 'x', qos: 0 })
    assert.equal((await broker.heard('puback')).messageId, 11)
    assert.equal((await broker.heard('pubrec')).messageId, 12)
    broker.say({ cmd: 'pubrel', messageId: 12 })
    assert.equal((await broker.heard('pubcomp')).messageId, 12)
    broker.say({ cmd: 'publish', topic: own, payload: 'mine', qos: 0 })
    assert.equal(String((await client.next('publish')).payload), 'mine')
    assert.equal(client.packets.length, 0)
  })
})

test('a delivered message that is too large for the client is acknowledged in its place (MQTT-3.1.2-24)', {
  timeout: 20_000,
}, async (t) => {
  const { session, upstream } = await testGate(t)
  const client = await session(5, { properties: { maximumPacketSize: 100 } })
  const broker = upstream.last
  for (const qos of [0, 1, 2]) {
    broker.say({ cmd: 'publish', topic: own, payload: Buffer.alloc(90), qos, ...(qos > 0 ? { messageId: qos } : {}) })
  }
  assert.equal((await broker.heard('puback')).messageId, 1)
  assert.equal((await broker.heard('pubrec')).messageId, 2)
  broker.say({ cmd: 'publish', topic: own, payload: 'small', qos: 0 })
  assert.equal(String((await client.next('publish')).payload), 'small')
  assert.equal(client.packets.length, 0)
})

suite('a DISCONNECT', { timeout: 20_000 }, () => {
  const goodbye = { cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 60 } }

  test('that keeps a session which was to end with its connection is a protocol error (MQTT-3.14.2-2)', async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    const client = await session(5)
    client.send(goodbye)
    assert.equal((await client.next('disconnect')).reasonCode, 0x82)
    await attempts.with('protocol-error')
    assert.ok(!upstream.last.received.some(({ cmd }) => cmd === 'disconnect'))
  })

  test('may change how long a session is kept that was to be kept', async (t) => {
    const { session, upstream } = await testGate(t)
    const client = await session(5, { properties: { sessionExpiryInterval: 10 } })
    client.send(goodbye)
    const heard = await upstream.last.heard('disconnect')
    assert.equal(heard.cmd === 'disconnect' && heard.properties?.sessionExpiryInterval, 60)
  })
})

for (const packet of [{ cmd: 'suback', messageId: 7, granted: [0] }, { cmd: 'pingreq' }]) {
  test(`a ${packet.cmd} of the broker that nobody waits for ends the session`, { timeout: 20_000 }, async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    const client = await session(5)
    upstream.last.say(packet)
    await client.next('disconnect')
    await attempts.with('upstream-refused')
  })
}

test('a packet that no client may send ends the session', { timeout: 20_000 }, async (t) => {
  const { session } = await testGate(t)
  for (const packet of [
    { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId: 'b', clean: true },
    { cmd: 'pingresp' },
    { cmd: 'auth', reasonCode: 0 },
  ]) {
    const client = await session(5)
    client.send(packet)
    assert.equal((await client.next('disconnect')).reasonCode, 0x82)
    await client.closed
  }
})

test('MQTT.js works through the gate at every QoS', { timeout: 20_000 }, async (t) => {
  const { port, upstream } = await testGate(t)
  for (const protocolVersion of [4, 5] as const) {
    const client = await mqtt.connectAsync(`mqtts://localhost:${port}`, {
      clientId: `js-${protocolVersion}`,
      protocolVersion,
      key: pump.key,
      cert: pump.cert,
      ca: serverCertificate.cert,
      host: '127.0.0.1',
      servername: 'localhost',
      reconnectPeriod: 0,
    })
    await client.subscribeAsync('devices/pump-7/#', { qos: 1 })
    for (const qos of [0, 1, 2] as const) await client.publishAsync(own, 'hello', { qos })
    const message = new Promise((resolve) => client.once('message', (topic) => resolve(topic)))
    upstream.last.say({ cmd: 'publish', topic: own, payload: 'x', qos: 1, messageId: 5 })
    assert.equal(await message, own)
    await client.unsubscribeAsync('devices/pump-7/#')
    await client.endAsync()
  }
})

suite('a broker that takes no topic with a full stop', { timeout: 20_000 }, () => {
  const dotted = 'devices/pump-7/v1.2'

  test('sees no message and no filter with one, and the session goes on', async (t) => {
    const { session, upstream, attempts } = await testGate(t, { deniedPublishV3: 'acknowledge' })
    upstream.abilities = { ...upstream.abilities, topicCharactersRefused: ' .' }
    for (const version of [4, 5] as const) {
      const client = await session(version)
      client.send(
        { cmd: 'publish', topic: dotted, payload: 'x', qos: 1, messageId: 1 },
        { cmd: 'subscribe', messageId: 2, subscriptions: [dotted, own].map((topic) => ({ topic, qos: 1 })) },
      )
      assert.equal((await client.next('puback')).reasonCode ?? 0, version === 5 ? 0x90 : 0)
      assert.deepEqual((await client.next('suback')).granted, [version === 5 ? 0x8f : 0x80, 1])
      const reached = upstream.last.received.map(({ cmd }) => cmd)
      assert.deepEqual(reached, ['connect', 'subscribe'])
      const asked = upstream.last.received[1]
      assert.deepEqual(asked?.cmd === 'subscribe' && asked.subscriptions.map(({ topic }) => topic), [own])
    }
    assert.match(
      (await attempts.with('topic-unsupported')).sentence,
      /no topic with "\." in it.*"devices\/pump-7\/v1\.2"/,
    )
  })

  test('does not see a client with a will on one', async (t) => {
    const { port, upstream, attempts } = await testGate(t)
    upstream.abilities = { ...upstream.abilities, topicCharactersRefused: ' .' }
    const client = await rawClient(port, pump)
    client.connect({ will: { topic: dotted, payload: 'x', qos: 0, retain: false } })
    assert.equal((await client.next('connack')).reasonCode, 0x90)
    await attempts.with('topic-unsupported')
    assert.equal(upstream.connections.length, 0)
  })
})
