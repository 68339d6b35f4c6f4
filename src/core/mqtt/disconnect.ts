/** DISCONNECT and PINGREQ (MQTT 5 §3.12, §3.14). */
import { unknownReason } from './acknowledgement.ts'
import { Cursor } from './cursor.ts'
import { packetOf, propertyBlock, reasonStringOf } from './encoding.ts'
import { allowedProperties, numberIn, type Property, property, readProperties } from './properties.ts'
import { type ProtocolVersion, packetNames, packetType, reason, typeOf } from './protocol.ts'
import { malformed, type Violation } from './violation.ts'

/** Reasons that a client may give (MQTT 5 table 3-10). */
const clientReasons: ReadonlySet<number> = new Set([
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
])

/** Reasons that a server may give (MQTT 5 table 3-10): those of the CONNACK that have no DISCONNECT are not among them. */
const serverReasons: ReadonlySet<number> = new Set([
  0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
  0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
])

export function isServerDisconnectReason(reasonCode: number): boolean {
  return serverReasons.has(reasonCode)
}

export interface Disconnect {
  readonly reasonCode: number
  /** The session expiry that the client sets at its end, or null. */
  readonly sessionExpirySec: number | null
}

/** Reads a whole DISCONNECT packet of a client. */
export function parseDisconnect(packet: Buffer, version: ProtocolVersion): Disconnect | Violation {
  if (packet.length === 2) return { reasonCode: reason.success, sessionExpirySec: null }
  if (version === 4) return malformed('a DISCONNECT is not of the length 0')
  const cursor = new Cursor(packet)
  const reasonCode = cursor.u8()
  if (cursor.fault === null && !clientReasons.has(reasonCode)) return unknownReason(packetType.disconnect, reasonCode)
  let properties: readonly Property[] = []
  if (cursor.at < cursor.end) properties = readProperties(cursor, allowedProperties.disconnectFromClient)
  return cursor.finish() ?? { reasonCode, sessionExpirySec: numberIn(properties, property.sessionExpiry) }
}

/** The server's DISCONNECT. MQTT 3.1.1 has none (§3.14): the connection is closed without a word. */
export function encodeDisconnect(reasonCode: number, sentence: string | null): Buffer {
  return packetOf(packetType.disconnect << 4, Buffer.of(reasonCode), propertyBlock(reasonStringOf(sentence)))
}

/** A client's DISCONNECT, after which its will is forgotten. */
export function encodeGoodbye(): Buffer {
  return Buffer.of(packetType.disconnect << 4, 0)
}

/** Why a packet that must be empty is not, or null. */
export function emptyPacketRefusal(packet: Buffer): Violation | null {
  return packet.length === 2 ? null : malformed(`a ${packetNames[typeOf(packet)]} is not of the length 0`)
}
