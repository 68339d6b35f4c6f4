/** Properties of MQTT 5 (§2.2.2): which packet may carry which, and their values as bytes. */
import type { Cursor } from './cursor.ts'
import { reason } from './protocol.ts'
import { malformed, protocolError } from './violation.ts'

/** Property identifiers. */
export const property = {
  payloadFormat: 0x01,
  messageExpiry: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  sessionExpiry: 0x11,
  assignedClientId: 0x12,
  serverKeepAlive: 0x13,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  requestProblemInformation: 0x17,
  willDelay: 0x18,
  requestResponseInformation: 0x19,
  responseInformation: 0x1a,
  serverReference: 0x1c,
  reasonString: 0x1f,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  maximumQos: 0x24,
  retainAvailable: 0x25,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
  wildcardAvailable: 0x28,
  subscriptionIdentifiersAvailable: 0x29,
  sharedAvailable: 0x2a,
} as const

/** One property: its identifier and the bytes of its value as they stand in the packet. */
export interface Property {
  readonly id: number
  readonly value: Buffer
}

type Kind =
  | 'flag'
  | 'u16'
  | 'u16-positive'
  | 'u32'
  | 'u32-positive'
  | 'varint-positive'
  | 'text'
  | 'topic'
  | 'binary'
  | 'pair'

const kinds: Readonly<Record<number, Kind>> = {
  [property.payloadFormat]: 'flag',
  [property.messageExpiry]: 'u32',
  [property.contentType]: 'text',
  [property.responseTopic]: 'topic',
  [property.correlationData]: 'binary',
  [property.subscriptionIdentifier]: 'varint-positive',
  [property.sessionExpiry]: 'u32',
  [property.assignedClientId]: 'text',
  [property.serverKeepAlive]: 'u16',
  [property.authenticationMethod]: 'text',
  [property.authenticationData]: 'binary',
  [property.requestProblemInformation]: 'flag',
  [property.willDelay]: 'u32',
  [property.requestResponseInformation]: 'flag',
  [property.responseInformation]: 'text',
  [property.serverReference]: 'text',
  [property.reasonString]: 'text',
  [property.receiveMaximum]: 'u16-positive',
  [property.topicAliasMaximum]: 'u16',
  [property.topicAlias]: 'u16-positive',
  [property.maximumQos]: 'flag',
  [property.retainAvailable]: 'flag',
  [property.userProperty]: 'pair',
  [property.maximumPacketSize]: 'u32-positive',
  [property.wildcardAvailable]: 'flag',
  [property.subscriptionIdentifiersAvailable]: 'flag',
  [property.sharedAvailable]: 'flag',
}

const p = property
const message = [p.payloadFormat, p.messageExpiry, p.contentType, p.responseTopic, p.correlationData, p.userProperty]

/** Where properties stand, and which may stand there (MQTT 5 table 2-4), by who sends the packet. */
export const allowedProperties = {
  connect: new Set<number>([
    p.sessionExpiry,
    p.authenticationMethod,
    p.authenticationData,
    p.requestProblemInformation,
    p.requestResponseInformation,
    p.receiveMaximum,
    p.topicAliasMaximum,
    p.userProperty,
    p.maximumPacketSize,
  ]),
  will: new Set<number>([...message, p.willDelay]),
  connack: new Set<number>([
    p.sessionExpiry,
    p.assignedClientId,
    p.serverKeepAlive,
    p.authenticationMethod,
    p.authenticationData,
    p.responseInformation,
    p.serverReference,
    p.reasonString,
    p.receiveMaximum,
    p.topicAliasMaximum,
    p.maximumQos,
    p.retainAvailable,
    p.userProperty,
    p.maximumPacketSize,
    p.wildcardAvailable,
    p.subscriptionIdentifiersAvailable,
    p.sharedAvailable,
  ]),
  publishFromClient: new Set<number>([...message, p.topicAlias]),
  publishFromBroker: new Set<number>([...message, p.topicAlias, p.subscriptionIdentifier]),
  acknowledgement: new Set<number>([p.reasonString, p.userProperty]),
  subscribe: new Set<number>([p.subscriptionIdentifier, p.userProperty]),
  unsubscribe: new Set<number>([p.userProperty]),
  disconnectFromClient: new Set<number>([p.sessionExpiry, p.reasonString, p.userProperty]),
} as const

/**
 * Reads a property block and leaves the cursor behind it. Unknown, misplaced and repeated properties, values of the wrong
 * form and topics with wildcards become the cursor's fault.
 *
 * @returns the properties in their order; none where the block is empty or faulty
 */
export function readProperties(cursor: Cursor, allowed: ReadonlySet<number>): readonly Property[] {
  const properties: Property[] = []
  walk(cursor, allowed, properties)
  return cursor.fault === null ? properties : []
}

/** The same check without keeping the values. */
export function skipProperties(cursor: Cursor, allowed: ReadonlySet<number>): void {
  walk(cursor, allowed, null)
}

function walk(cursor: Cursor, allowed: ReadonlySet<number>, into: Property[] | null): void {
  const length = cursor.varint()
  if (length === 0) return
  const packetEnd = cursor.end
  const blockEnd = cursor.at + length
  if (blockEnd > packetEnd) {
    cursor.fail(malformed('the properties reach past the end of the packet'))
    return
  }
  cursor.end = blockEnd
  const seen = new Set<number>()
  while (cursor.at < blockEnd && cursor.fault === null) {
    const id = cursor.varint()
    if (!allowed.has(id)) {
      cursor.fail(malformed(`property 0x${id.toString(16).padStart(2, '0')} may not stand in this packet`))
      break
    }
    if (seen.has(id) && mustBeSingle(id, allowed)) {
      cursor.fail(protocolError(`property 0x${id.toString(16).padStart(2, '0')} stands in the packet twice`))
      break
    }
    seen.add(id)
    const start = cursor.at
    skipValue(cursor, id)
    into?.push({ id, value: cursor.bytes.subarray(start, cursor.at) })
  }
  cursor.end = packetEnd
  if (cursor.fault !== null) cursor.at = packetEnd
}

/** A delivered PUBLISH may name several subscriptions (§3.3.2.3.8); otherwise only user properties repeat. */
function mustBeSingle(id: number, allowed: ReadonlySet<number>): boolean {
  if (id === property.userProperty) return false
  return id !== property.subscriptionIdentifier || allowed !== allowedProperties.publishFromBroker
}

function skipValue(cursor: Cursor, id: number): void {
  switch (kinds[id]) {
    case 'flag':
      if (cursor.u8() > 1) cursor.fail(protocolError(`property 0x${id.toString(16)} is neither 0 nor 1`))
      return
    case 'u16':
      cursor.u16()
      return
    case 'u16-positive':
      refuseZero(cursor, id, cursor.u16())
      return
    case 'u32':
      cursor.u32()
      return
    case 'u32-positive':
      refuseZero(cursor, id, cursor.u32())
      return
    case 'varint-positive':
      refuseZero(cursor, id, cursor.varint())
      return
    case 'text':
      cursor.skipText()
      return
    case 'topic':
      if (/[+#]/.test(cursor.text())) {
        cursor.fail(protocolError('the response topic holds a wildcard', reason.topicInvalid))
      }
      return
    case 'binary':
      cursor.binary()
      return
    default:
      cursor.skipText()
      cursor.skipText()
  }
}

function refuseZero(cursor: Cursor, id: number, value: number): void {
  if (value === 0) cursor.fail(protocolError(`property 0x${id.toString(16)} is 0`))
}

/** The integer value of a one-, two- or four-byte property, or null when it is absent. */
export function numberIn(properties: readonly Property[], id: number): number | null {
  const value = properties.find((candidate) => candidate.id === id)?.value
  return value === undefined ? null : value.readUIntBE(0, value.length)
}
