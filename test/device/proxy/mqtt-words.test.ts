import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeConnack } from '../../../src/core/mqtt/connack.ts'
import { encodeDisconnect } from '../../../src/core/mqtt/disconnect.ts'
import { reasonStringOf } from '../../../src/core/mqtt/encoding.ts'
import {
  ServerListener,
  type ServerWord,
  unavailableConnack,
  versionSpoken,
} from '../../../src/device/proxy/mqtt-words.ts'

const connect = {
  '3.1': Buffer.from('\x10\x0e\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x00', 'latin1'),
  '3.1.1': Buffer.from('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00', 'latin1'),
  '5': Buffer.from('\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00', 'latin1'),
  '5, long': Buffer.from('\x10\x8d\x80\x01\x00\x04MQTT\x05\x02', 'latin1'),
}

for (const [name, version] of [
  ['3.1', 4],
  ['3.1.1', 4],
  ['5', 5],
  ['5, long', 5],
] as const) {
  test(`a client of MQTT ${name} is known by its first bytes, and not before they are enough`, () => {
    const packet = connect[name]
    const seen = Array.from(packet, (_, at) => versionSpoken(packet.subarray(0, at)))
    const known = seen.findIndex((each) => each !== undefined)
    assert.ok(known > 8 && known <= 14, String(known))
    assert.deepEqual(new Set(seen.slice(0, known)), new Set([undefined]))
    assert.deepEqual(new Set([...seen.slice(known), versionSpoken(packet)]), new Set([version]))
  })
}

for (const text of ['GET / HTTP/1.1\r\n', '\x16\x03\x01', '\x10\x0c\x00\x04HTTP\x04', '\x10\x0c\xff\xffMQTTMQTTMQTT']) {
  test(`${JSON.stringify(text)} is no MQTT`, () => assert.equal(versionSpoken(Buffer.from(text, 'latin1')), null))
}

test('whatever a client sends, it is known within a few bytes what it speaks', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 14, maxLength: 40 }), (bytes) => {
      assert.notEqual(versionSpoken(Buffer.from(bytes)), undefined)
    }),
  )
})

test('a client hears that the server is not available: 3 in MQTT 3.1.1, 0x88 with the reason in MQTT 5', () => {
  assert.deepEqual(unavailableConnack(4, 'why'), Buffer.of(0x20, 2, 0, 3))
  assert.deepEqual(heard(unavailableConnack(5, 'why'), 5), [{ packet: 'CONNACK', code: 0x88, sentence: 'why' }])
})

function heard(bytes: Buffer, version: 4 | 5, cuts: readonly number[] = []): readonly ServerWord[] {
  const words: ServerWord[] = []
  const listener = new ServerListener(version, (word) => words.push(word))
  let at = 0
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    listener.hear(bytes.subarray(at, cut))
    at = Math.max(at, cut)
  }
  return words
}

const publish = Buffer.concat([Buffer.of(0x30, 0xc8, 0x01), Buffer.alloc(200, 0xe0)])
const refusing = encodeConnack({ sessionPresent: false, code: 0x87, properties: reasonStringOf('HF-1 no') }, 5)

test('a refusal is heard with its reason, whatever comes before it and however the bytes are cut', () => {
  const welcome = encodeConnack({ sessionPresent: true, code: 0, properties: [] }, 5)
  const stream = Buffer.concat([welcome, publish, Buffer.of(0xd0, 0), publish, encodeDisconnect(0x98, 'HF-2 gone')])
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      assert.deepEqual(heard(stream, 5, cuts), [{ packet: 'DISCONNECT', code: 0x98, sentence: 'HF-2 gone' }])
      assert.deepEqual(heard(refusing, 5, cuts), [{ packet: 'CONNACK', code: 0x87, sentence: 'HF-1 no' }])
    }),
  )
})

test('a reason of several lines is told in one', () => {
  const properties = reasonStringOf('gone\r\n12:04:51Z      7  connected\u2028\u001b[2J')
  assert.deepEqual(heard(encodeConnack({ sessionPresent: false, code: 0x87, properties }, 5), 5), [
    { packet: 'CONNACK', code: 0x87, sentence: 'gone 12:04:51Z      7  connected [2J' },
  ])
})

test('a code without a sentence is put into words', () => {
  assert.deepEqual(heard(Buffer.of(0x20, 2, 0, 5), 4), [{ packet: 'CONNACK', code: 5, sentence: 'not authorised' }])
  assert.deepEqual(heard(Buffer.of(0xe0, 1, 0x8b), 5), [
    { packet: 'DISCONNECT', code: 0x8b, sentence: 'it shuts down' },
  ])
  assert.deepEqual(heard(Buffer.of(0x20, 2, 0, 77), 4), [{ packet: 'CONNACK', code: 77, sentence: 'code 77' }])
})

test('bytes that are no MQTT are followed no further, and nothing is made of them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.constantFrom(4 as const, 5 as const), (bytes, version) => {
      for (const { code, sentence } of heard(Buffer.from(bytes), version)) assert.ok(code > 0 && sentence.length <= 500)
    }),
  )
})

test('a packet that is too long to be a refusal is passed over', () => {
  const long = Buffer.concat([Buffer.of(0xe0, 0x80, 0x80, 0x04), Buffer.alloc(65_536, 1)])
  assert.deepEqual(heard(Buffer.concat([long, refusing]), 5), [{ packet: 'CONNACK', code: 0x87, sentence: 'HF-1 no' }])
})
