/** SUBSCRIBE, UNSUBSCRIBE and their answers (MQTT 5 §3.8 to §3.11). */
import { limits } from '../limits.ts'
import { Cursor } from './cursor.ts'
import { packetOf, propertyBlock, text, u16 } from './encoding.ts'
import { isShared, parseTopicFilter, type TopicFilter } from './filter.ts'
import { allowedProperties, type Property, readProperties } from './properties.ts'
import { type ProtocolVersion, packetType, type QoS, reason } from './protocol.ts'
import { malformed, protocolError, Violation } from './violation.ts'

export interface Subscription {
  readonly filter: TopicFilter
  readonly qos: QoS
  /** The options byte as it came (MQTT 5 §3.8.3.1); under MQTT 3.1.1 the QoS alone. */
  readonly options: number
}

export interface Subscribe {
  /** 1 to 65,535. */
  readonly packetId: number
  readonly properties: readonly Property[]
  /** In the packet's order, at least one, at most `limits.filtersPerPacketMax`. */
  readonly subscriptions: readonly Subscription[]
}

export interface Unsubscribe {
  readonly packetId: number
  readonly filters: readonly TopicFilter[]
}

/** Reads a whole SUBSCRIBE packet. */
export function parseSubscribe(packet: Buffer, version: ProtocolVersion): Subscribe | Violation {
  const cursor = new Cursor(packet)
  const packetId = readPacketId(cursor)
  const properties = version === 5 ? readProperties(cursor, allowedProperties.subscribe) : []
  const subscriptions: Subscription[] = []
  while (cursor.at < cursor.end) {
    const filter = readFilter(cursor)
    const options = cursor.u8()
    if (cursor.fault !== null || filter === null) break
    const refusal = optionsRefusal(options, version, filter)
    if (refusal !== null) return refusal
    subscriptions.push({ filter, qos: (options & 3) as QoS, options })
    if (subscriptions.length > limits.filtersPerPacketMax) return tooManyFilters('SUBSCRIBE')
  }
  const fault = cursor.finish()
  if (fault !== null) return fault
  if (subscriptions.length === 0) return protocolError('a SUBSCRIBE names no filter')
  return { packetId, properties, subscriptions }
}

/** Reads a whole UNSUBSCRIBE packet. */
export function parseUnsubscribe(packet: Buffer, version: ProtocolVersion): Unsubscribe | Violation {
  const cursor = new Cursor(packet)
  const packetId = readPacketId(cursor)
  if (version === 5) readProperties(cursor, allowedProperties.unsubscribe)
  const filters: TopicFilter[] = []
  while (cursor.at < cursor.end) {
    const filter = readFilter(cursor)
    if (filter === null) break
    filters.push(filter)
    if (filters.length > limits.filtersPerPacketMax) return tooManyFilters('UNSUBSCRIBE')
  }
  const fault = cursor.finish()
  if (fault !== null) return fault
  if (filters.length === 0) return protocolError('an UNSUBSCRIBE names no filter')
  return { packetId, filters }
}

function readPacketId(cursor: Cursor): number {
  const packetId = cursor.u16()
  if (packetId === 0) cursor.fail(malformed('the packet identifier is 0'))
  return packetId
}

function readFilter(cursor: Cursor): TopicFilter | null {
  const value = cursor.text()
  if (cursor.fault !== null) return null
  const filter = parseTopicFilter(value)
  if (!(filter instanceof Violation)) return filter
  cursor.fail(filter)
  return null
}

function optionsRefusal(options: number, version: ProtocolVersion, filter: TopicFilter): Violation | null {
  if ((options & 3) === 3) return malformed('the QoS of a subscription is 3')
  if (version === 4) return options > 2 ? malformed('reserved bits of a subscription are set') : null
  if ((options & 0xc0) !== 0) return malformed('reserved bits of the subscription options are set')
  if ((options & 0x30) === 0x30) return protocolError('the retain handling of a subscription is 3')
  // MQTT-3.8.3-4.
  if ((options & 0x04) !== 0 && isShared(filter)) return protocolError('a shared subscription has No Local set')
  return null
}

function tooManyFilters(name: string): Violation {
  return protocolError(`${name} names more than ${limits.filtersPerPacketMax} filters`, reason.quotaExceeded)
}

/** A SUBSCRIBE for some of the filters of another one. */
export function encodeSubscribe(
  subscribe: Subscribe,
  subscriptions: readonly Subscription[],
  version: ProtocolVersion,
): Buffer {
  const parts = [u16(subscribe.packetId)]
  if (version === 5) parts.push(propertyBlock(subscribe.properties))
  for (const { filter, options } of subscriptions) parts.push(text(filter), Buffer.of(options))
  return packetOf((packetType.subscribe << 4) | 2, ...parts)
}

/** An UNSUBSCRIBE of the gate's own. */
export function encodeUnsubscribe({ packetId, filters }: Unsubscribe, version: ProtocolVersion): Buffer {
  const block = version === 5 ? [propertyBlock([])] : []
  return packetOf((packetType.unsubscribe << 4) | 2, u16(packetId), ...block, ...filters.map(text))
}

/** The packet identifier of an UNSUBACK of a broker, or null where it has none. */
export function unsubackId(packet: Buffer): number | null {
  const cursor = new Cursor(packet)
  const packetId = readPacketId(cursor)
  return cursor.fault === null ? packetId : null
}

export interface Suback {
  readonly packetId: number
  readonly properties: readonly Property[]
  /** One for each filter, in the order of the SUBSCRIBE. */
  readonly codes: readonly number[]
}

/** Reads a whole SUBACK packet of a broker. */
export function parseSuback(packet: Buffer, version: ProtocolVersion): Suback | Violation {
  const cursor = new Cursor(packet)
  const packetId = readPacketId(cursor)
  const properties = version === 5 ? readProperties(cursor, allowedProperties.acknowledgement) : []
  if (cursor.fault !== null) return cursor.fault
  return { packetId, properties, codes: [...packet.subarray(cursor.at)] }
}

/** A SUBACK. Under MQTT 3.1.1 the properties are left out. */
export function encodeSuback({ packetId, properties, codes }: Suback, version: ProtocolVersion): Buffer {
  const block = version === 5 ? [propertyBlock(properties)] : []
  return packetOf(packetType.suback << 4, u16(packetId), ...block, Buffer.from(codes))
}
