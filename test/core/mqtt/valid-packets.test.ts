import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type Packet, parser } from 'mqtt-packet'
import { parseAcknowledgement } from '../../../src/core/mqtt/acknowledgement.ts'
import { encodeConnect, parseConnect } from '../../../src/core/mqtt/connect.ts'
import { pairProperty, propertyBytes, textProperty } from '../../../src/core/mqtt/encoding.ts'
import { identityProperties } from '../../../src/core/mqtt/own-properties.ts'
import { property } from '../../../src/core/mqtt/properties.ts'
import { type ProtocolVersion, type QoS, typeOf } from '../../../src/core/mqtt/protocol.ts'
import { encodePublish, scanPublish, withAddedProperties } from '../../../src/core/mqtt/publish.ts'
import { PacketSplitter } from '../../../src/core/mqtt/splitter.ts'
import { encodeSubscribe, parseSubscribe, parseUnsubscribe } from '../../../src/core/mqtt/subscribe.ts'
import { Violation } from '../../../src/core/mqtt/violation.ts'
import { anyAcknowledgement, anyConnect, anyPublish, anySubscribe, anyUnsubscribe, bytesOf } from './packets.ts'

function accepted<T>(result: T | Violation): T {
  if (result instanceof Violation) assert.fail(`${result.code}: ${result.sentence}`)
  return result
}

function readByOther(bytes: Buffer, version: ProtocolVersion): Packet {
  let seen: Packet | null = null
  const other = parser({ protocolVersion: version })
  other.on('packet', (packet) => {
    seen = packet
  })
  other.on('error', (error) => assert.fail(String(error)))
  other.parse(bytes)
  assert.ok(seen !== null)
  return seen
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

for (const version of [4, 5] as const) {
  suite(`packets of version ${version} that another codec writes`, () => {
    test('a CONNECT is read, and its re-encoding differs in client id, password, aliases and keep-alive only', () => {
      fc.assert(
        fc.property(anyConnect(version), (packet) => {
          const connect = accepted(parseConnect(bytesOf(packet, version)))
          const again = readByOther(
            encodeConnect(connect, { clientId: `pump/${connect.clientId}`, keepAliveSec: 7 }),
            version,
          )
          const expected = readByOther(bytesOf(packet, version), version) as unknown as Record<string, unknown>
          const { username: _user, properties, length: _length, ...rest } = expected
          const kept = { ...((properties as object) ?? {}) } as Record<string, unknown>
          delete kept.topicAliasMaximum
          const { length: _other, properties: againProperties, ...got } = again as unknown as Record<string, unknown>
          assert.deepEqual(plain(got), plain({ ...rest, clientId: `pump/${connect.clientId}`, keepalive: 7 }))
          assert.deepEqual(plain(againProperties ?? {}), plain(kept))
        }),
      )
    })

    if (version === 5) {
      test('a PUBLISH gets other properties behind those that it has, and nothing else changes', () => {
        const added = propertyBytes(identityProperties('pump-7', 'x'.repeat(200)))
        fc.assert(
          fc.property(anyPublish(version), (packet) => {
            const bytes = bytesOf(packet, version)
            const [before, after] = [bytes, withAddedProperties(bytes, added)].map((each) => readByOther(each, version))
            const { length: _before, properties: had, ...was } = before as unknown as Record<string, unknown>
            const { length: _after, properties: has, ...is } = after as unknown as Record<string, unknown>
            assert.deepEqual(plain(is), plain(was))
            const own = { 'handfast-identity': 'pump-7', 'handfast-client-id': 'x'.repeat(200) }
            const { userProperties = {}, ...others } = (had ?? {}) as { userProperties?: object }
            assert.deepEqual(plain(has ?? {}), plain({ ...others, userProperties: { ...userProperties, ...own } }))
          }),
        )
      })
    }

    test('a PUBLISH is read with the same topic, QoS and packet id, and its payload is found', () => {
      fc.assert(
        fc.property(anyPublish(version), (packet) => {
          const bytes = bytesOf(packet, version)
          const head = accepted(scanPublish(bytes, version, 'client'))
          const wanted = packet as unknown as {
            topic: string
            qos: number
            messageId: number
            payload: Buffer
            retain: boolean
            dup: boolean
          }
          assert.equal(head.topic, wanted.topic)
          assert.equal(head.qos, wanted.qos)
          assert.equal(head.retain, wanted.retain)
          assert.equal(head.dup, wanted.dup)
          assert.equal(head.packetId, wanted.qos === 0 ? 0 : wanted.messageId)
          assert.deepEqual(bytes.subarray(head.payloadOffset), wanted.payload)
        }),
      )
    })

    test('a PUBLISH that is written is read by it as it was meant', () => {
      fc.assert(
        fc.property(anyPublish(version), (packet) => {
          const { topic, qos, retain, dup, messageId, payload } = packet as unknown as {
            topic: string
            qos: QoS
            retain: boolean
            dup: boolean
            messageId: number
            payload: Buffer
          }
          const properties = [
            textProperty(property.contentType, 'text/plain'),
            pairProperty(property.userProperty, 'a', 'b'),
          ]
          const publish = { topic, qos, retain, dup, packetId: messageId, properties, payload }
          const read = readByOther(encodePublish(publish, version), version) as unknown as Record<string, unknown>
          assert.deepEqual(
            [read.topic, read.qos, read.retain, read.dup, read.messageId, read.payload],
            [topic, qos, retain, dup, qos === 0 ? undefined : messageId, payload],
          )
          const expected = { contentType: 'text/plain', userProperties: { a: 'b' } }
          assert.deepEqual(plain(read.properties ?? null), version === 5 ? expected : null)
        }),
      )
    })

    test('a SUBSCRIBE is read, and written again for all of its filters it is the same packet', () => {
      fc.assert(
        fc.property(anySubscribe(version), (packet) => {
          const bytes = bytesOf(packet, version)
          const subscribe = accepted(parseSubscribe(bytes, version))
          assert.deepEqual(encodeSubscribe(subscribe, subscribe.subscriptions, version), bytes)
        }),
      )
    })

    test('an UNSUBSCRIBE is read with its filters', () => {
      fc.assert(
        fc.property(anyUnsubscribe(version), (packet) => {
          const wanted = packet as unknown as { unsubscriptions: string[] }
          assert.deepEqual(
            accepted(parseUnsubscribe(bytesOf(packet, version), version)).filters,
            wanted.unsubscriptions,
          )
        }),
      )
    })

    test('an acknowledgement is read with its packet id', () => {
      fc.assert(
        fc.property(anyAcknowledgement(version), (packet) => {
          assert.equal(accepted(parseAcknowledgement(bytesOf(packet, version), version)), packet.messageId)
        }),
      )
    })

    test('a stream cut anywhere gives the packets that went into it', () => {
      const anyStream = fc.array(fc.oneof(anyPublish(version), anySubscribe(version)), { minLength: 1, maxLength: 8 })
      fc.assert(
        fc.property(
          anyStream,
          fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 9 }),
          (packets, cuts) => {
            const whole = packets.map((packet) => bytesOf(packet, version))
            const stream = Buffer.concat(whole)
            const splitter = new PacketSplitter(1 << 20)
            const taken: Buffer[] = []
            for (let at = 0, i = 0; at < stream.length; i++) {
              const size = cuts[i % cuts.length] ?? 1
              splitter.feed(stream.subarray(at, at + size))
              at += size
              // Taking late must not lose what is waiting.
              if (i % 3 === 2 && at < stream.length) continue
              for (let next = splitter.take(); next !== null; next = splitter.take()) taken.push(accepted(next))
            }
            assert.deepEqual(taken, whole)
          },
        ),
      )
    })
  })
}

suite('packets that were damaged', () => {
  for (const version of [4, 5] as const) {
    test(`no parser throws on a mutated packet of version ${version}`, () => {
      const anyPacket = fc.oneof(
        anyConnect(version),
        anyPublish(version),
        anySubscribe(version),
        anyUnsubscribe(version),
        anyAcknowledgement(version),
      )
      const anyMutation = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
      fc.assert(
        fc.property(anyPacket, anyMutation, fc.nat(20), (packet, mutations, cut) => {
          const bytes = Buffer.from(bytesOf(packet, version))
          for (const [at, value] of mutations) bytes[at % bytes.length] = value
          const splitter = new PacketSplitter(4096)
          splitter.feed(bytes.subarray(0, bytes.length - (cut % bytes.length)))
          for (let next = splitter.take(); next !== null; next = splitter.take()) {
            if (next instanceof Violation) break
            readAnyhow(next, version)
          }
        }),
        { numRuns: 2_000 },
      )
    })
  }
})

function readAnyhow(packet: Buffer, version: ProtocolVersion): void {
  if (typeOf(packet) === 3) scanPublish(packet, version, 'client')
  parseConnect(packet)
  parseSubscribe(packet, version)
  parseUnsubscribe(packet, version)
  parseAcknowledgement(packet, version)
}
