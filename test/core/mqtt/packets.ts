/** Arbitrary valid packets, written by mqtt-packet: a codec that is not ours. */
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import type { ProtocolVersion } from '../../../src/core/mqtt/protocol.ts'

export const anyVersion: fc.Arbitrary<ProtocolVersion> = fc.constantFrom(4, 5)

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map((text) => text.replace(/[\0+#/$]/g, 'x'))
export const anyTopic: fc.Arbitrary<string> = fc
  .array(word, { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
export const anyFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(word, fc.constant('+')), { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
export const anyClientId: fc.Arbitrary<string> = fc.stringMatching(/^[A-Za-z0-9_.-]{1,23}$/)

const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replaceAll('\0', 'x'))
const bytes = fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value))
const u16 = fc.integer({ min: 1, max: 0xffff })
const u32 = fc.integer({ min: 1, max: 0xffffffff })
const userProperties = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), text, {
  minKeys: 1,
  maxKeys: 3,
  noNullPrototype: true,
})
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const)

const optional = { requiredKeys: [] as [] }
const messageProperties = {
  payloadFormatIndicator: fc.boolean(),
  messageExpiryInterval: u32,
  contentType: text,
  responseTopic: anyTopic,
  correlationData: bytes,
  userProperties,
}

const will = (version: ProtocolVersion) =>
  fc.record(
    {
      topic: anyTopic,
      payload: bytes.filter((value) => value.length > 0),
      qos,
      retain: fc.boolean(),
      ...(version === 5 ? { properties: fc.record({ ...messageProperties, willDelayInterval: u32 }, optional) } : {}),
    },
    { requiredKeys: ['topic', 'payload', 'qos', 'retain'] },
  )

export function anyConnect(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc
    .record(
      {
        clientId: anyClientId,
        clean: fc.boolean(),
        keepalive: fc.integer({ min: 0, max: 0xffff }),
        will: will(version),
        username: text.filter((value) => value !== ''),
        ...(version === 5
          ? {
              properties: fc.record(
                {
                  sessionExpiryInterval: u32,
                  receiveMaximum: u16,
                  maximumPacketSize: u32,
                  topicAliasMaximum: u16,
                  requestResponseInformation: fc.boolean(),
                  requestProblemInformation: fc.boolean(),
                  userProperties,
                },
                optional,
              ),
            }
          : {}),
      },
      { requiredKeys: ['clientId', 'clean', 'keepalive'] },
    )
    .map((fields) => ({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, ...fields }) as unknown as Packet)
}

export function anyPublish(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc
    .record({
      topic: anyTopic,
      payload: bytes,
      qos,
      retain: fc.boolean(),
      dup: fc.boolean(),
      messageId: u16,
      ...(version === 5 ? { properties: fc.record(messageProperties, optional) } : {}),
    })
    .map((fields) => ({ cmd: 'publish', ...fields, dup: fields.dup && fields.qos > 0 }) as unknown as Packet)
}

export function anySubscribe(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const options = version === 5 ? { nl: fc.boolean(), rap: fc.boolean(), rh: fc.constantFrom(0, 1, 2) } : {}
  return fc
    .record({
      messageId: u16,
      subscriptions: fc.array(fc.record({ topic: anyFilter, qos, ...options }), { minLength: 1, maxLength: 6 }),
      ...(version === 5
        ? {
            properties: fc.record(
              { subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }), userProperties },
              optional,
            ),
          }
        : {}),
    })
    .map((fields) => ({ cmd: 'subscribe', ...fields }) as unknown as Packet)
}

export function anyUnsubscribe(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc
    .record({
      messageId: u16,
      unsubscriptions: fc.array(anyFilter, { minLength: 1, maxLength: 6 }),
      ...(version === 5 ? { properties: fc.record({ userProperties }, optional) } : {}),
    })
    .map((fields) => ({ cmd: 'unsubscribe', ...fields }) as unknown as Packet)
}

export function anyAcknowledgement(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc
    .record({
      cmd: fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp'),
      messageId: u16,
      reasonCode: fc.constant(0),
      ...(version === 5 ? { properties: fc.record({ reasonString: text, userProperties }, optional) } : {}),
    })
    .map((fields) => fields as unknown as Packet)
}

/** A packet as mqtt-packet writes it. */
export function bytesOf(packet: Packet, version: ProtocolVersion): Buffer {
  return generate(packet, { protocolVersion: version })
}
