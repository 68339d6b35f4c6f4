/** PUBLISH (MQTT 5 §3.3): read as far as the guard needs, which is everything but the payload, and written. */
import { assert } from '../errors.ts'
import { bodyOffset, Cursor } from './cursor.ts'
import { packetOf, propertyBlock, putVarint, varint, varintLength } from './encoding.ts'
import { withoutOwnProperties } from './own-properties.ts'
import { allowedProperties, numberIn, type Property, property, readProperties, skipProperties } from './properties.ts'
import { type ProtocolVersion, packetType, type QoS } from './protocol.ts'
import { readTopicName, type TopicName } from './topic.ts'
import { noTopicAliases, type TopicAliases } from './topic-aliases.ts'
import { malformed, Violation } from './violation.ts'

export interface PublishHead {
  readonly topic: TopicName
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** 1 to 65,535, or 0 at QoS 0. */
  readonly packetId: number
  /** Where the payload starts in the packet. */
  readonly payloadOffset: number
  /** Where the sender wants answers (MQTT 5 §3.3.2.3.5); read of a client's messages alone. */
  readonly responseTopic: TopicName | null
  /**
   * What the properties of a packet have to become before it goes on: it uses a topic alias, which nobody behind the gate knows, or
   * says in a name of the hub's who sends it. Null where it may go on as it is.
   */
  readonly changed: readonly Property[] | null
}

/**
 * Reads the head of a whole PUBLISH packet.
 *
 * @param from a broker may name subscription identifiers, a client may not (MQTT-3.3.4-6)
 * @param aliases of this sender; by default it may use none, as a broker may not: the client's offer is not in its CONNECT
 */
export function scanPublish(
  packet: Buffer,
  version: ProtocolVersion,
  from: 'client' | 'broker',
  aliases: TopicAliases = noTopicAliases,
): PublishHead | Violation {
  const first = packet[0] ?? 0
  const qos = (first >> 1) & 3
  if (qos === 3) return malformed('the QoS of a PUBLISH is 3')
  const dup = (first & 0x08) !== 0
  if (dup && qos === 0) return malformed('DUP is set on a PUBLISH of QoS 0')
  const start = bodyOffset(packet) + 2
  const afterTopic = start + (packet.length < start ? 0 : packet.readUInt16BE(start - 2))
  let at = afterTopic + (qos > 0 ? 2 : 0)
  if (at > packet.length) return malformed('a field of the PUBLISH reaches past its end')
  const packetId = qos > 0 ? packet.readUInt16BE(afterTopic) : 0
  if (qos > 0 && packetId === 0) return malformed('the packet identifier of a PUBLISH is 0')
  let block: PropertyBlock | Violation = noProperties
  // Most publishers send no properties: one zero byte.
  if (version === 5 && packet[at] === 0) at++
  else if (version === 5) {
    block = readBlock(packet, at, from)
    if (block instanceof Violation) return block
    at = block.end
  }
  const { alias, responseTopic } = block
  const isUnnamed = alias !== null && afterTopic === start
  let topic = isUnnamed ? null : readTopicName(packet, start, afterTopic, from)
  if (alias !== null && !(topic instanceof Violation)) topic = aliases.resolve(alias, topic)
  if (topic instanceof Violation) return topic
  return {
    topic: topic as TopicName,
    qos: qos as QoS,
    retain: (first & 0x01) !== 0,
    dup,
    packetId,
    payloadOffset: at,
    responseTopic,
    changed: block.changed,
  }
}

interface PropertyBlock {
  /** Where the payload starts. */
  readonly end: number
  readonly responseTopic: TopicName | null
  readonly alias: number | null
  readonly changed: readonly Property[] | null
}

const noProperties: PropertyBlock = { end: 0, responseTopic: null, alias: null, changed: null }

/** What is looked for in the properties of a message, by who sends it. */
const telling = {
  client: [property.topicAlias, property.responseTopic, property.userProperty],
  broker: [property.topicAlias],
} as const

function readBlock(packet: Buffer, at: number, from: 'client' | 'broker'): PropertyBlock | Violation {
  const cursor = new Cursor(packet)
  cursor.at = at
  const allowed = from === 'client' ? allowedProperties.publishFromClient : allowedProperties.publishFromBroker
  if (!mayHold(packet, at, telling[from])) {
    skipProperties(cursor, allowed)
    return cursor.fault ?? { ...noProperties, end: cursor.at }
  }
  const properties: readonly Property[] = readProperties(cursor, allowed)
  if (cursor.fault !== null) return cursor.fault
  const responseTopic = from === 'client' ? responseTopicIn(properties) : null
  if (responseTopic instanceof Violation) return responseTopic
  const alias = numberIn(properties, property.topicAlias)
  return { end: cursor.at, responseTopic, alias, changed: from === 'client' ? changedOf(properties) : null }
}

function changedOf(properties: readonly Property[]): readonly Property[] | null {
  const kept = withoutOwnProperties(properties).filter(({ id }) => id !== property.topicAlias)
  return kept.length === properties.length ? null : kept
}

/** The packet of a PUBLISH with its topic in full and with other properties. */
export function withProperties(packet: Buffer, head: PublishHead, properties: readonly Property[]): Buffer {
  return encodePublish({ ...head, properties, payload: packet.subarray(head.payloadOffset) }, 5)
}

/** The packet of a PUBLISH of MQTT 5, well formed, with properties behind those that it has; neither is read. */
export function withAddedProperties(packet: Buffer, added: Buffer): Buffer {
  const start = bodyOffset(packet)
  const blockAt = start + 2 + packet.readUInt16BE(start) + (((packet[0] ?? 0) & 0x06) === 0 ? 0 : 2)
  const cursor = new Cursor(packet)
  cursor.at = blockAt
  const blockLength = cursor.varint()
  const blockEnd = cursor.at + blockLength
  return packetOf(
    packet[0] ?? 0,
    packet.subarray(start, blockAt),
    varint(blockLength + added.length),
    packet.subarray(cursor.at, blockEnd),
    added,
    packet.subarray(blockEnd),
  )
}

/** The topic on which a sender wants its answers, which must be one that it could publish to; null when there is none. */
export function responseTopicIn(properties: readonly Property[]): TopicName | Violation | null {
  const value = properties.find(({ id }) => id === property.responseTopic)?.value
  // Behind the two bytes of its length.
  return value === undefined ? null : readTopicName(value, 2, value.length)
}

/** A quick no spares the common case a list: the byte of one of the identifiers must at least occur. */
function mayHold(packet: Buffer, at: number, identifiers: readonly number[]): boolean {
  const length = packet[at] ?? 0
  if (length >= 0x80) return true
  const block = packet.subarray(at + 1, at + 1 + length)
  return identifiers.some((id) => block.includes(id))
}

export interface Publish {
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  /** Never with QoS 0 (MQTT-3.3.1-2). */
  readonly dup: boolean
  /** 1 to 65,535; it is left out at QoS 0. */
  readonly packetId: number
  readonly properties: readonly Property[]
  readonly payload: Buffer
}

/** A whole PUBLISH packet, in one piece of memory. Under MQTT 3.1.1 the properties are left out. */
export function encodePublish(publish: Publish, version: ProtocolVersion): Buffer {
  const { topic, qos, retain, dup, packetId, properties, payload } = publish
  const topicBytes = Buffer.byteLength(topic, 'utf8')
  assert(topicBytes <= 0xffff, `${topicBytes} bytes do not fit a string of MQTT`)
  const block = version === 4 ? null : properties.length === 0 ? emptyBlock : propertyBlock(properties)
  const length = 2 + topicBytes + (qos > 0 ? 2 : 0) + (block?.length ?? 0) + payload.length
  const packet = Buffer.allocUnsafe(1 + varintLength(length) + length)
  packet[0] = (packetType.publish << 4) | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  let at = packet.writeUInt16BE(topicBytes, putVarint(packet, 1, length))
  // As many bytes as characters: then it is ASCII, which is written faster.
  at += packet.write(topic, at, topicBytes === topic.length ? 'latin1' : 'utf8')
  if (qos > 0) at = packet.writeUInt16BE(packetId, at)
  if (block !== null) {
    packet.set(block, at)
    at += block.length
  }
  packet.set(payload, at)
  return packet
}

const emptyBlock = propertyBlock([])
