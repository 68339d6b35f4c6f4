// needs: openssl
/** What the policy says of a session, from its CONNECT to its end, also where it changes meanwhile. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Subject } from '../../src/core/policy/rights.ts'
import { imaginedIdentity } from '../../src/core/policy/subjects.ts'
import type { GateOptions } from '../../src/gate/gate.ts'
import { pump } from './certificates.ts'
import { all, allow, changing, connects, policyOf } from './policies.ts'
import { rawClient } from './raw-client.ts'
import { testGate } from './test-gate.ts'

const published = (received: readonly { cmd: string }[]): number =>
  received.filter(({ cmd }) => cmd === 'publish').length

suite('a client that the policy does not let connect', { timeout: 20_000 }, () => {
  test('is refused with the role that asks for another client id, and reaches no broker', async (t) => {
    const { options } = changing(policyOf([connects], { clientId: '${identity.id}' }))
    const { port, upstream, attempts } = await testGate(t, options)
    const client = await rawClient(port, pump)
    client.connect({ clientId: 'other' })
    const connack = await client.next('connack')
    assert.equal(connack.reasonCode, 0x85)
    assert.equal(upstream.connections.length, 0)
    assert.match((await attempts.with('client-id-denied')).sentence, /wants the client id to be "pump-7"/)
  })

  test('is let in with no more sessions than its policy says', async (t) => {
    const { options } = changing(policyOf([connects], { sessionsMax: 1 }))
    const { port, session, attempts } = await testGate(t, options)
    await session(5, { clientId: 'one' })
    const second = await rawClient(port, pump)
    second.connect({ clientId: 'two' })
    assert.equal((await second.next('connack')).reasonCode, 0x97)
    await attempts.with('too-many-sessions')
  })
})

suite('a message', { timeout: 20_000 }, () => {
  test('that asks for answers where its sender may not publish goes no further', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['own/#'])]))
    const { session, upstream, attempts } = await testGate(t, options)
    const client = await session(5)
    const asking = (responseTopic: string, messageId: number) => ({
      ...{ cmd: 'publish', topic: 'own/q', payload: 'x', qos: 1, messageId },
      properties: { responseTopic },
    })
    client.send(asking('devices/valve-3/cmd', 1), asking('own/answers', 2))
    assert.equal((await client.next('puback')).reasonCode, 0x87)
    assert.equal((await client.next('puback')).messageId, 2)
    assert.equal(published(upstream.last.received), 1)
    assert.match((await attempts.with('publish-denied')).sentence, /ask for answers on "devices\/valve-3\/cmd"/)
  })

  test('that is to be retained needs a right of its own', async (t) => {
    const { options } = changing(policyOf([connects, allow(['publish'], ['own/#'])]))
    const { session, attempts } = await testGate(t, options)
    const client = await session(5)
    client.send({ cmd: 'publish', topic: 'own/x', payload: 'x', qos: 1, messageId: 1, retain: true })
    assert.equal((await client.next('puback')).reasonCode, 0x87)
    await attempts.with('retain-denied')
  })

  test('over the limits of the policy is answered by itself', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['own/#'])], { payloadBytesMax: 4, qosMax: 1 }))
    const { session, upstream } = await testGate(t, options)
    const client = await session(5)
    client.send({ cmd: 'publish', topic: 'own/x', payload: '12345', qos: 1, messageId: 1 })
    assert.equal((await client.next('puback')).reasonCode, 0x97)
    client.send({ cmd: 'publish', topic: 'own/x', payload: '1234', qos: 2, messageId: 2 })
    assert.equal((await client.next('pubrec')).reasonCode, 0x87)
    client.send({ cmd: 'publish', topic: 'own/x', payload: '1234', qos: 1, messageId: 3 })
    assert.equal((await client.next('puback')).reasonCode, 0)
    assert.equal(published(upstream.last.received), 1)
  })

  test('that is denied before MQTT 5 is acknowledged and goes nowhere, where the operator wants that', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['own/#'])]))
    const { session, upstream, attempts } = await testGate(t, { ...options, deniedPublishV3: 'acknowledge' })
    const client = await session(4)
    client.send(
      { cmd: 'publish', topic: 'other', payload: 'x', qos: 0 },
      { cmd: 'publish', topic: 'other', payload: 'x', qos: 1, messageId: 1 },
      { cmd: 'publish', topic: 'other', payload: 'x', qos: 2, messageId: 2 },
    )
    assert.equal((await client.next('puback')).messageId, 1)
    assert.equal((await client.next('pubrec')).messageId, 2)
    client.send({ cmd: 'pubrel', messageId: 2 })
    assert.equal((await client.next('pubcomp')).messageId, 2)
    client.send({ cmd: 'publish', topic: 'own/x', payload: 'x', qos: 2, messageId: 2 })
    await client.next('pubrec')
    client.send({ cmd: 'pubrel', messageId: 2 })
    await client.next('pubcomp')
    assert.deepEqual(
      upstream.last.received.map(({ cmd }) => cmd),
      ['connect', 'publish', 'pubrel'],
    )
    await attempts.with('publish-denied')
  })

  test('many of them from before there was a rate are not held against a client', async (t) => {
    const { held, options } = changing(policyOf([connects, allow(all, ['own/#'])]))
    const { gate, session, upstream, attempts } = await testGate(t, options)
    const client = await session(5)
    const one = { cmd: 'publish', topic: 'own/x', payload: 'x', qos: 0 }
    client.send(...Array.from({ length: 500 }, () => one))
    client.send({ ...one, qos: 1, messageId: 1 })
    await client.next('puback')
    held.policy = policyOf([connects, allow(all, ['own/#'])], { publishesPerSecondMax: 2 })
    gate.refreshRights()
    client.send({ ...one, qos: 1, messageId: 2 })
    await client.next('puback')
    assert.equal(published(upstream.last.received), 502)
    assert.ok(!attempts.all.some(({ code }) => code === 'publishes-too-many'))
  })

  test('too many of them are held back, and none is lost', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['own/#'])], { publishesPerSecondMax: 50 }))
    const { session, upstream, attempts } = await testGate(t, options)
    const client = await session(5)
    const burst = Array.from({ length: 60 }, () => ({ cmd: 'publish', topic: 'own/x', payload: 'x', qos: 0 }))
    client.send(...burst)
    await attempts.with('publishes-too-many')
    const paused = published(upstream.last.received)
    client.send({ cmd: 'publish', topic: 'own/last', payload: 'x', qos: 1, messageId: 9 })
    await client.next('puback')
    assert.ok(paused <= 60)
    assert.equal(published(upstream.last.received), 61)
  })

  test('go on at the rate of the policy also where they came in one piece, and the last word of a client that leaves is heard', async (t) => {
    const rate = 40
    const { options } = changing(policyOf([connects, allow(all, ['own/#'])], { publishesPerSecondMax: rate }))
    const { session, upstream, attempts, denials } = await testGate(t, options)
    const client = await session(5)
    const began = performance.now()
    const burst = Array.from({ length: 3 * rate }, () => ({ cmd: 'publish', topic: 'own/x', payload: 'x', qos: 0 }))
    client.send(...burst, { cmd: 'disconnect', reasonCode: 0 })
    client.socket.end()
    await attempts.with('publishes-too-many')
    assert.ok(published(upstream.last.received) < burst.length, 'all of them went on at once')
    await upstream.last.heard('disconnect')
    assert.equal(published(upstream.last.received), burst.length)
    // A second's worth may go ahead, and the first message is not counted; the rest is paid for by time.
    assert.ok(performance.now() - began >= ((burst.length - rate - 2) / rate) * 1000)
    assert.deepEqual(new Set(denials), new Set(['publishes-too-many']))
  })
})

test('a subscription is granted with the QoS that the policy allows at most', { timeout: 20_000 }, async (t) => {
  const { options } = changing(policyOf([connects, allow(all, ['own/#'])], { qosMax: 1 }))
  const { session, upstream } = await testGate(t, options)
  const client = await session(5)
  const subscriptions = [2, 0].map((qos) => ({ topic: `own/${qos}`, qos, rap: true }))
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  assert.deepEqual((await client.next('suback')).granted, [1, 0])
  const asked = await upstream.last.heard('subscribe')
  assert.ok(asked.cmd === 'subscribe')
  assert.deepEqual(
    asked.subscriptions.map(({ qos, rap }) => [qos, rap]),
    [
      [1, true],
      [0, true],
    ],
  )
})

suite('a session whose rights change', { timeout: 20_000 }, () => {
  test('loses the subscriptions that are not allowed any more, and what was delivered for them is acknowledged', async (t) => {
    const { held, options } = changing(policyOf([connects, allow(all, ['own/#', 'line/#'])]))
    const { gate, session, upstream, attempts } = await testGate(t, options)
    const client = await session(5)
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: ['own/#', 'line/#'].map((topic) => ({ topic, qos: 1 })),
    })
    await client.next('suback')

    held.policy = policyOf([connects, allow(all, ['own/#'])])
    gate.refreshRights()
    const gone = await upstream.last.heard('unsubscribe')
    assert.ok(gone.cmd === 'unsubscribe')
    assert.deepEqual(gone.unsubscriptions, ['line/#'])
    upstream.last.say({ cmd: 'publish', topic: 'line/3', payload: 'x', qos: 1, messageId: 5 })
    upstream.last.say({ cmd: 'publish', topic: 'own/3', payload: 'x', qos: 1, messageId: 6 })
    assert.equal((await client.next('publish')).topic, 'own/3')
    assert.equal(((await upstream.last.heard('puback')) as { messageId?: number }).messageId, 5)
    assert.match((await attempts.with('subscribe-denied')).sentence, /"line\/#" has ended/)
    // The gate's own question is answered to the gate.
    client.send({ cmd: 'pingreq' })
    await client.next('pingresp')
    assert.equal(
      client.packets.some(({ cmd }) => cmd === 'unsuback'),
      false,
    )
  })

  for (const version of [4, 5] as const) {
    test(`has its subscriptions ended under an identifier that the client does not use, in version ${version}`, async (t) => {
      const { held, options } = changing(policyOf([connects, allow(all, ['own/#', 'line/#'])]))
      const { gate, session, upstream } = await testGate(t, options)
      const client = await session(version)
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'line/#', qos: 1 }] })
      await client.next('suback')
      upstream.mute = new Set(['subscribe', 'unsubscribe', 'publish'])
      client.send(
        { cmd: 'subscribe', messageId: 0xffff, subscriptions: [{ topic: 'own/#', qos: 1 }] },
        { cmd: 'unsubscribe', messageId: 0xfffe, unsubscriptions: ['own/x'] },
        { cmd: 'publish', topic: 'own/x', payload: 'x', qos: 1, messageId: 0xfffd },
        { cmd: 'publish', topic: 'own/x', payload: 'x', qos: 2, messageId: 0xfffc },
        { cmd: 'pingreq' },
      )
      await client.next('pingresp')
      held.policy = policyOf([connects, allow(all, ['own/#'])])
      gate.refreshRights()
      assert.equal(upstream.last.received.at(-1)?.cmd, 'unsubscribe')
      assert.equal(upstream.last.received.at(-1)?.messageId, 0xfffb)
      // Each gets the answer to its own question.
      upstream.last.say({ cmd: 'unsuback', messageId: 0xfffb, granted: [0] })
      upstream.last.say({ cmd: 'unsuback', messageId: 0xfffe, granted: [0] })
      assert.equal((await client.next('unsuback')).messageId, 0xfffe)
    })
  }

  test('is not disturbed where nothing changes for it', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['own/#'])]))
    const { gate, session, upstream } = await testGate(t, options)
    const client = await session(4)
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'own/#', qos: 0 }] })
    await client.next('suback')
    gate.refreshRights()
    client.send({ cmd: 'publish', topic: 'own/x', payload: 'x', qos: 1, messageId: 2 })
    await client.next('puback')
    assert.deepEqual(
      upstream.last.received.map(({ cmd }) => cmd),
      ['connect', 'subscribe', 'publish'],
    )
  })

  test('ends where it may not connect any more', async (t) => {
    const { held, options } = changing(policyOf([connects]))
    const { gate, session, upstream, attempts } = await testGate(t, options)
    const client = await session(5)
    held.policy = policyOf([])
    gate.refreshRights()
    // With its will.
    assert.equal(upstream.last.received.at(-1)?.cmd, 'disconnect')
    assert.equal((await client.next('disconnect')).reasonCode, 0x87)
    await attempts.with('connect-denied')
    assert.equal(gate.sessionCount(), 0)
  })

  test('takes its will with it where that is not allowed any more', async (t) => {
    const { held, options } = changing(policyOf([connects, allow(all, ['own/#'])]))
    const { gate, session, upstream, attempts } = await testGate(t, options)
    await session(5, { will: { topic: 'own/gone', payload: 'x', qos: 0, retain: false } })
    held.policy = policyOf([connects, allow(['publish'], ['own/#'])])
    gate.refreshRights()
    await upstream.last.heard('disconnect')
    await attempts.with('will-denied')
    assert.equal(upstream.last.isClosed, true)
  })

  for (const version of [4, 5] as const) {
    test(`ends where a message of QoS 2 waits for its release that is not allowed any more, in version ${version}`, async (t) => {
      const { held, options } = changing(policyOf([connects, allow(all, ['own/#', 'line/#'])]))
      const { gate, session, upstream, attempts } = await testGate(t, options)
      const client = await session(version)
      const message = { cmd: 'publish', payload: 'x', qos: 2 }
      client.send({ ...message, topic: 'line/1', messageId: 1 }, { ...message, topic: 'own/1', messageId: 2 })
      await client.next('pubrec')
      await client.next('pubrec')
      client.send({ cmd: 'pubrel', messageId: 1 })
      await client.next('pubcomp')
      // What is released does not count, and what is allowed still does not matter.
      held.policy = policyOf([connects, allow(all, ['own/#'])])
      gate.refreshRights()
      assert.equal(gate.sessionCount(), 1)

      held.policy = policyOf([connects, allow(all, ['line/#'])])
      gate.refreshRights()
      assert.equal(gate.sessionCount(), 0)
      assert.equal(upstream.last.received.at(-1)?.cmd, 'disconnect')
      assert.equal(upstream.last.isClosed, true)
      assert.match((await attempts.with('publish-denied')).sentence, /waits for its release.*"own\/1"/)
      await client.closed
    })
  }

  test('ends where more messages wait for their release than the gate remembers', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['own/#'])]))
    const { gate, session, attempts } = await testGate(t, { ...options, limits: { receiveMaximum: 2 } })
    const client = await session(4)
    const message = (messageId: number) => ({ cmd: 'publish', topic: 'own/1', payload: 'x', qos: 2, messageId })
    const accept = async (messageId: number): Promise<void> => {
      client.send(message(messageId))
      await client.next('pubrec')
    }
    await accept(1)
    await accept(2)
    await accept(2)
    gate.refreshRights()
    assert.equal(gate.sessionCount(), 1)
    await accept(3)
    gate.refreshRights()
    assert.equal(gate.sessionCount(), 0)
    await attempts.with('publish-denied')
    await client.closed
  })

  test('follows its identity into another group', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['lines/${identity.group}/#'])]))
    const seen: Subject[] = []
    const rightsOf = (subject: Subject) => {
      seen.push(subject)
      return (options.rightsOf as (subject: Subject) => ReturnType<NonNullable<GateOptions['rightsOf']>>)(subject)
    }
    const { gate, session } = await testGate(t, { rightsOf })
    const client = await session(5)
    client.send({ cmd: 'publish', topic: 'lines/l3/x', payload: 'x', qos: 1, messageId: 1 })
    assert.equal((await client.next('puback')).reasonCode, 0x87)
    const identity = seen[0]?.identity
    assert.ok(identity !== undefined)
    gate.refreshRights({ ...identity, group: 'l3', version: 2 })
    client.send({ cmd: 'publish', topic: 'lines/l3/x', payload: 'x', qos: 1, messageId: 2 })
    assert.equal((await client.next('puback')).reasonCode, 0)
  })

  test('that is still being let in hears of its own identity, and of no other that changes meanwhile', async (t) => {
    const { options } = changing(policyOf([connects, allow(all, ['lines/${identity.group}/#'])]))
    const seen: Subject[] = []
    const rightsOf = (subject: Subject) => {
      seen.push(subject)
      return (options.rightsOf as NonNullable<GateOptions['rightsOf']>)(subject)
    }
    const { gate, port, admission } = await testGate(t, { rightsOf })
    const held = Promise.withResolvers<void>()
    admission.judgeGate = held.promise
    const client = await rawClient(port, pump)
    client.connect()
    while (admission.judged.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const other = { ...imaginedIdentity('valve-3'), group: 'l9' }
    gate.refreshRights(other)
    gate.refreshRights({ ...imaginedIdentity('pump-7'), group: 'l3', version: 2 })
    held.resolve()
    assert.equal((await client.next('connack')).reasonCode, 0)
    client.send({ cmd: 'publish', topic: 'lines/l3/x', payload: 'x', qos: 1, messageId: 2 })
    assert.equal((await client.next('puback')).reasonCode, 0)
    client.send({ cmd: 'publish', topic: 'lines/l9/x', payload: 'x', qos: 1, messageId: 1 })
    assert.equal((await client.next('puback')).reasonCode, 0x87)
    assert.deepEqual(
      seen.map(({ identity }) => identity.group),
      [null, 'l3'],
    )
    assert.ok(seen.every(({ identity }) => identity.id === 'pump-7'))
  })

  test('follows the time', async (t) => {
    const end = Date.now() + 400
    const time = { notBeforeMs: null, notAfterMs: end, daily: null, weekdays: [], zone: 'UTC' }
    const { options } = changing(policyOf([connects, allow(all, ['own/#'], { time })]))
    const { session, upstream } = await testGate(t, options)
    const client = await session(5)
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'own/#', qos: 0 }] })
    await client.next('suback')
    await upstream.last.heard('unsubscribe')
    assert.ok(Date.now() > end)
  })
})

suite('a client of MQTT 3.1', { timeout: 20_000 }, () => {
  const v31 = { protocolId: 'MQIsdp', protocolVersion: 3 }

  test('is served as one of MQTT 3.1.1, and may send PUBREL and SUBSCRIBE again with DUP', async (t) => {
    const { session, upstream, attempts } = await testGate(t)
    const client = await session(4, v31)
    assert.equal((await attempts.with(null)).mqttVersion, '3.1')
    const connect = upstream.last.received[0]
    assert.ok(connect?.cmd === 'connect' && connect.protocolId === 'MQTT' && connect.protocolVersion === 4)
    const topic = Buffer.from('devices/pump-7/#')
    client.socket.write(Buffer.concat([Buffer.of(0x8a, 5 + topic.length, 0, 1, 0, topic.length), topic, Buffer.of(1)]))
    assert.equal((await client.next('suback')).messageId, 1)
    client.send({ cmd: 'publish', topic: 'devices/pump-7/x', payload: 'x', qos: 2, messageId: 2 })
    await client.next('pubrec')
    client.socket.write(Buffer.of(0x6a, 2, 0, 2))
    assert.equal((await client.next('pubcomp')).messageId, 2)
  })

  test('is let in without the user name that its flags announce, and is told of no session that is there already', async (t) => {
    const { port, upstream, attempts } = await testGate(t)
    upstream.sessionPresent = true
    const client = await rawClient(port, pump, 4)
    const rest = Buffer.concat([Buffer.of(0, 6), Buffer.from('MQIsdp'), Buffer.of(3, 0xc0, 0, 0, 0, 1, 0x61)])
    client.socket.write(Buffer.concat([Buffer.of(0x10, rest.length), rest]))
    const connack = await client.next('connack')
    assert.deepEqual([connack.returnCode, connack.sessionPresent], [0, false])
    await attempts.with(null)
  })

  test('has a client id', async (t) => {
    const { port, attempts } = await testGate(t)
    const client = await rawClient(port, pump, 4)
    const rest = Buffer.concat([Buffer.of(0, 6), Buffer.from('MQIsdp'), Buffer.of(3, 2, 0, 0, 0, 0)])
    client.socket.write(Buffer.concat([Buffer.of(0x10, rest.length), rest]))
    await client.closed
    await attempts.with('client-id-invalid')
  })

  test('of another version may not repeat with DUP', async (t) => {
    const { session, attempts } = await testGate(t)
    const client = await session(4)
    client.socket.write(Buffer.of(0x6a, 2, 0, 2))
    await client.closed
    await attempts.with('packet-malformed')
  })
})
