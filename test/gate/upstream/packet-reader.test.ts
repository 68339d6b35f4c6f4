import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type Packet, parser } from 'mqtt-packet'
import type { AedesClient } from '../../../src/gate/upstream/embedded/aedes-types.ts'
import { readPackets } from '../../../src/gate/upstream/embedded/packet-reader.ts'

const anyPublish = fc.record({
  cmd: fc.constant('publish' as const),
  topic: fc.stringMatching(/^[a-zé]{1,200}(\/[a-z0-9]{0,9}){0,3}$/),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  dup: fc.constant(false),
  messageId: fc.integer({ min: 1, max: 65_535 }),
})
const withProperties = anyPublish.map((publish) => ({ ...publish, properties: { contentType: 'text/plain' } }))
const anyAcknowledgement = fc.record({
  cmd: fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp'),
  messageId: fc.integer({ min: 1, max: 65_535 }),
})
const anyPackets = fc.array(
  fc.oneof(anyPublish, withProperties, anyAcknowledgement, fc.constant({ cmd: 'pingreq' } as const)),
)

for (const version of [4, 5] as const) {
  test(`packets of version ${version} are read as mqtt-packet reads them, wherever the stream is cut`, () => {
    fc.assert(
      fc.property(anyPackets, fc.integer({ min: 1, max: 400 }), (packets, cut) => {
        const options = { protocolVersion: version }
        const bytes = Buffer.concat(packets.map((packet) => generate(packet as Packet, options)))
        const { read, feed } = readerOf(version)
        for (let at = 0; at < bytes.length; at += cut) feed(bytes.subarray(at, at + cut))
        const expected: unknown[] = []
        const theirs = parser(options)
        theirs.on('packet', (packet) => expected.push(fieldsOf(packet)))
        theirs.parse(bytes)
        assert.deepEqual(read.map(fieldsOf), expected)
      }),
    )
  })
}

test('before the CONNACK all is read by the parser of the broker', () => {
  const { read, feed } = readerOf(5, false)
  feed(
    generate({ cmd: 'publish', topic: 't', payload: 'x', qos: 0, retain: false, dup: false }, { protocolVersion: 5 }),
  )
  assert.equal(read[0]?.constructor.name, 'Packet')
})

test('a message of QoS 2 that the client declines is told of, one that it takes is not', () => {
  const { declined, feed } = readerOf(5)
  for (const [messageId, reasonCode] of [
    [7, 0x87],
    [8, 0x00],
  ] as const) {
    feed(generate({ cmd: 'pubrec', messageId, reasonCode }, { protocolVersion: 5 }))
  }
  assert.deepEqual(declined, [7])
})

test('a stream that is no MQTT is an error of the client', () => {
  const { errors, feed } = readerOf(5)
  feed(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))
  assert.equal(errors.length, 1)
})

function readerOf(version: 4 | 5, connackSent = true) {
  const read: object[] = []
  const declined: number[] = []
  const errors: unknown[] = []
  const theirs = parser({ protocolVersion: version })
  theirs.on('packet', (packet) => read.push(packet))
  theirs.on('error', (error) => errors.push(error))
  const client = Object.assign(new EventEmitter(), { version, connackSent, _parser: theirs })
  readPackets(client as unknown as AedesClient, (packetId) => declined.push(packetId))
  return { read, declined, errors, feed: (bytes: Buffer) => void theirs.parse(bytes) }
}

/** Without what is undefined, and whatever the class. */
function fieldsOf(packet: object): unknown {
  return Object.fromEntries(
    Object.entries(packet)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('hex') : value]),
  )
}
