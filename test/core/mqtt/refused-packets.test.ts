import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseAcknowledgement } from '../../../src/core/mqtt/acknowledgement.ts'
import { parseConnect } from '../../../src/core/mqtt/connect.ts'
import { parseDisconnect } from '../../../src/core/mqtt/disconnect.ts'
import { packetOf, text, u16 } from '../../../src/core/mqtt/encoding.ts'
import { scanPublish } from '../../../src/core/mqtt/publish.ts'
import { PacketSplitter } from '../../../src/core/mqtt/splitter.ts'
import { parseSubscribe } from '../../../src/core/mqtt/subscribe.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'

function refusal(result: unknown): Violation {
  assert.ok(result instanceof Violation, 'it was accepted')
  return result
}

function connect(parts: { name?: string; level?: number; flags?: number; rest?: Buffer[] } = {}): Buffer {
  const { name = 'MQTT', level = 4, flags = 2, rest = [text('pump')] } = parts
  return packetOf(0x10, text(name), Buffer.of(level, flags), u16(60), ...rest)
}

suite('a CONNECT is refused', () => {
  test('of a level that does not exist under its name, as an unsupported version', () => {
    for (const packet of [connect({ name: 'MQIsdp', level: 4 }), connect({ level: 3 }), connect({ level: 6 })]) {
      assert.equal(refusal(parseConnect(packet)).code, 'protocol-version-unsupported')
    }
  })

  test('with another protocol name (MQTT-3.1.2-1)', () => {
    assert.equal(refusal(parseConnect(connect({ name: 'HTTP' }))).code, 'connect-malformed')
  })

  test('with flags that contradict each other', () => {
    const password = 0x40
    const willQosWithoutWill = 0x08
    const willQos3 = 0x1c
    for (const flags of [0x03, password, willQosWithoutWill, willQos3, 0x20]) {
      const packet = connect({ flags, rest: [text('pump'), text('t'), text('m')] })
      assert.equal(refusal(parseConnect(packet)).code, 'connect-malformed', flags.toString(16))
    }
  })

  test('with bytes behind its last field', () => {
    assert.equal(refusal(parseConnect(connect({ rest: [text('pump'), Buffer.of(0)] }))).code, 'connect-malformed')
  })

  test('with an empty client id and a session to keep, in MQTT 3.1.1 (MQTT-3.1.3-8)', () => {
    assert.equal(refusal(parseConnect(connect({ flags: 0, rest: [text('')] }))).code, 'client-id-invalid')
    assert.ok(!(parseConnect(connect({ flags: 2, rest: [text('')] })) instanceof Violation))
  })

  test('with a client id that is too long or holds a control character', () => {
    for (const id of ['x'.repeat(257), 'a\nb', 'a\u0085b']) {
      assert.equal(refusal(parseConnect(connect({ rest: [text(id)] }))).code, 'client-id-invalid')
    }
  })

  test('with a string that holds U+0000, a surrogate or an overlong form (MQTT-1.5.4-1, 1.5.4-2)', () => {
    for (const bytes of [[0x61, 0], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xff]]) {
      const id = Buffer.concat([u16(bytes.length), Buffer.from(bytes)])
      assert.equal(refusal(parseConnect(connect({ rest: [id] }))).code, 'connect-malformed')
    }
  })

  test('with an authentication method', () => {
    const properties = Buffer.concat([Buffer.of(0x15), text('SCRAM')])
    const packet = connect({ level: 5, rest: [Buffer.of(properties.length), properties, text('pump')] })
    assert.equal(refusal(parseConnect(packet)).code, 'auth-method-unsupported')
  })

  test('with a repeated, misplaced or zero property', () => {
    const blocks = [
      [0x21, 0, 1, 0x21, 0, 1],
      [0x23, 0, 1],
      [0x21, 0, 0],
      [0x17, 2],
      [0x7f, 0],
    ]
    for (const block of blocks) {
      const packet = connect({ level: 5, rest: [Buffer.of(block.length, ...block), text('pump')] })
      assert.match(refusal(parseConnect(packet)).code, /connect-malformed|protocol-error/)
    }
  })
})

suite('a PUBLISH is refused', () => {
  const publish = (first: number, ...parts: Buffer[]) => packetOf(first, ...parts)

  test('with QoS 3, DUP at QoS 0, packet id 0, or a topic with a wildcard', () => {
    const topic = text('a/b')
    const packets = [
      publish(0x36, topic, u16(1)),
      publish(0x38, topic),
      publish(0x32, topic, u16(0)),
      publish(0x30, text('a/+')),
      publish(0x30, text('a/#')),
      publish(0x30, u16(9), Buffer.from('a')),
    ]
    for (const packet of packets) assert.equal(refusal(scanPublish(packet, 4, 'client')).code, 'packet-malformed')
  })

  test('with a topic alias, as one was never offered (MQTT-3.3.2-9)', () => {
    const packet = publish(0x30, text(''), Buffer.of(3, 0x23, 0, 1))
    assert.equal(refusal(scanPublish(packet, 5, 'client')).reasonV5, 0x94)
  })

  test('with a subscription identifier from a client (MQTT-3.3.4-6)', () => {
    const packet = publish(0x30, text('a'), Buffer.of(2, 0x0b, 1))
    assert.equal(refusal(scanPublish(packet, 5, 'client')).code, 'packet-malformed')
    assert.ok(!(scanPublish(packet, 5, 'broker') instanceof Violation))
  })

  test('with a response topic that has a wildcard (MQTT-3.3.2-14)', () => {
    const block = Buffer.concat([Buffer.of(0x08), text('a/#')])
    const packet = publish(0x30, text('a'), Buffer.of(block.length), block)
    assert.equal(refusal(scanPublish(packet, 5, 'client')).code, 'protocol-error')
  })

  test('with more levels than the limit', () => {
    assert.equal(refusal(scanPublish(publish(0x30, text('a/'.repeat(32))), 4, 'client')).reasonV5, 0x90)
  })
})

suite('other packets are refused', () => {
  test('a SUBSCRIBE without filters, with QoS 3 or reserved bits', () => {
    const subscribe = (...parts: Buffer[]) => packetOf(0x82, u16(1), ...parts)
    assert.equal(refusal(parseSubscribe(subscribe(), 4)).code, 'protocol-error')
    assert.equal(refusal(parseSubscribe(subscribe(text('a'), Buffer.of(3)), 4)).code, 'packet-malformed')
    assert.equal(refusal(parseSubscribe(subscribe(text('a'), Buffer.of(4)), 4)).code, 'packet-malformed')
    assert.equal(
      refusal(parseSubscribe(packetOf(0x82, u16(1), Buffer.of(0), text('a'), Buffer.of(0x40)), 5)).code,
      'packet-malformed',
    )
  })

  test('an acknowledgement with a body under MQTT 3.1.1 or an unknown reason under MQTT 5', () => {
    assert.equal(refusal(parseAcknowledgement(Buffer.of(0x40, 3, 0, 1, 0), 4)).code, 'packet-malformed')
    assert.equal(refusal(parseAcknowledgement(Buffer.of(0x40, 3, 0, 1, 0x42), 5)).code, 'protocol-error')
    assert.equal(refusal(parseAcknowledgement(Buffer.of(0x40, 2, 0, 0), 4)).code, 'packet-malformed')
  })

  test('a DISCONNECT with a reason that only a server may give', () => {
    assert.equal(refusal(parseDisconnect(Buffer.of(0xe0, 1, 0x8e), 5)).code, 'protocol-error')
  })
})

suite('the splitter refuses', () => {
  const taken = (splitter: PacketSplitter, ...bytes: number[]) => {
    splitter.feed(Buffer.from(bytes))
    return splitter.take()
  }

  test('a remaining length of five bytes or in a longer form than needed', () => {
    assert.equal(refusal(taken(new PacketSplitter(1e9), 0x30, 0xff, 0xff, 0xff, 0xff, 1)).code, 'packet-malformed')
    assert.equal(refusal(taken(new PacketSplitter(1e9), 0x30, 0x80, 0)).code, 'packet-malformed')
  })

  test('a length over the limit at once, without waiting for the bytes', () => {
    assert.equal(refusal(taken(new PacketSplitter(1_000), 0x30, 0xff, 0x7f)).code, 'packet-too-large')
    assert.equal(refusal(taken(new PacketSplitter(1_000, 'connect'), 0x10, 0xff, 0x7f)).code, 'connect-too-large')
  })

  test('a first byte that no packet has, and before CONNECT whatever is not one', () => {
    for (const first of [0x00, 0x60, 0x80, 0x11]) {
      assert.equal(refusal(taken(new PacketSplitter(1_000), first)).code, 'packet-malformed')
    }
    assert.equal(refusal(taken(new PacketSplitter(1_000, 'connect'), 0x47)).code, 'connect-malformed')
  })
})
