/** PUBLISH (MQTT 5 §3.3): read as far as the guard needs, which is everything but the payload, and written. */
import { bodyOffset, Cursor } from './cursor.ts'
import { packetOf, propertyBlock, text, u16 } from './encoding.ts'
import { allowedProperties, type Property, property, readProperties, skipProperties } from './properties.ts'
import { type ProtocolVersion, packetType, type QoS, reason } from './protocol.ts'
import { readTopicName, type TopicName } from './topic.ts'
import { malformed, protocolError, Violation } from './violation.ts'

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
}

/**
 * Reads the head of a whole PUBLISH packet. A topic alias is a protocol error from either side: the gate offers none, and
 * takes the client's offer out of its CONNECT.
 *
 * @param from a broker may name subscription identifiers, a client may not (MQTT-3.3.4-6)
 */
export function scanPublish(
  packet: Buffer,
  version: ProtocolVersion,
  from: 'client' | 'broker',
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
  let responseTopic: TopicName | null = null
  if (version === 5) {
    // Most publishers send no properties: one zero byte.
    if (packet[at] === 0) at++
    else {
      const block = readBlock(packet, at, from)
      if (block instanceof Violation) return block
      at = block.end
      responseTopic = block.responseTopic
    }
  }
  const topic = readTopicName(packet, start, afterTopic, from)
  if (topic instanceof Violation) return topic
  return { topic, qos: qos as QoS, retain: (first & 0x01) !== 0, dup, packetId, payloadOffset: at, responseTopic }
}

interface PropertyBlock {
  /** Where the payload starts. */
  readonly end: number
  readonly responseTopic: TopicName | null
}

function readBlock(packet: Buffer, at: number, from: 'client' | 'broker'): PropertyBlock | Violation {
  const cursor = new Cursor(packet)
  cursor.at = at
  const allowed = from === 'client' ? allowedProperties.publishFromClient : allowedProperties.publishFromBroker
  if (!mayHold(packet, at, property.topicAlias, from === 'client' ? property.responseTopic : property.topicAlias)) {
    skipProperties(cursor, allowed)
    return cursor.fault ?? { end: cursor.at, responseTopic: null }
  }
  const properties: readonly Property[] = readProperties(cursor, allowed)
  if (cursor.fault !== null) return cursor.fault
  if (properties.some(({ id }) => id === property.topicAlias)) {
    return protocolError('the PUBLISH uses a topic alias, and none was offered', reason.topicAliasInvalid)
  }
  const responseTopic = from === 'client' ? responseTopicIn(properties) : null
  return responseTopic instanceof Violation ? responseTopic : { end: cursor.at, responseTopic }
}

/** The topic on which a sender wants its answers, which must be one that it could publish to; null when there is none. */
export function responseTopicIn(properties: readonly Property[]): TopicName | Violation | null {
  const value = properties.find(({ id }) => id === property.responseTopic)?.value
  // Behind the two bytes of its length.
  return value === undefined ? null : readTopicName(value, 2, value.length)
}

/** A quick no spares the common case a list: the byte of one of the identifiers must at least occur. */
function mayHold(packet: Buffer, at: number, one: number, other: number): boolean {
  const length = packet[at] ?? 0
  if (length >= 0x80) return true
  const block = packet.subarray(at + 1, at + 1 + length)
  return block.includes(one) || (other !== one && block.includes(other))
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

/** A whole PUBLISH packet. Under MQTT 3.1.1 the properties are left out. */
export function encodePublish(publish: Publish, version: ProtocolVersion): Buffer {
  const { topic, qos, retain, dup, packetId, properties, payload } = publish
  const parts = [text(topic)]
  if (qos > 0) parts.push(u16(packetId))
  if (version === 5) parts.push(propertyBlock(properties))
  return packetOf((packetType.publish << 4) | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0), ...parts, payload)
}
