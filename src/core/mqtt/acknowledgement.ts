/** PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5 §3.4 to §3.7): a packet identifier and, in MQTT 5, how it went. */
import { bodyOffset, Cursor } from './cursor.ts'
import { packetOf, propertyBlock, reasonStringOf, u16 } from './encoding.ts'
import { allowedProperties, skipProperties } from './properties.ts'
import { type ProtocolVersion, packetNames, packetType, reason, typeOf } from './protocol.ts'
import { malformed, protocolError, type Violation } from './violation.ts'

export type AcknowledgementType =
  | typeof packetType.puback
  | typeof packetType.pubrec
  | typeof packetType.pubrel
  | typeof packetType.pubcomp

const deliveryCodes: ReadonlySet<number> = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
const releaseCodes: ReadonlySet<number> = new Set([0x00, 0x92])

/** The packet identifier of a whole PUBACK, PUBREC, PUBREL or PUBCOMP packet, all of which is checked. */
export function parseAcknowledgement(packet: Buffer, version: ProtocolVersion): number | Violation {
  const type = typeOf(packet)
  if (packet.length === 4) {
    const packetId = packet.readUInt16BE(2)
    return packetId === 0 ? malformed(`the packet identifier of a ${packetNames[type]} is 0`) : packetId
  }
  if (version === 4) return malformed(`a ${packetNames[type]} is not of the length 2`)
  const cursor = new Cursor(packet)
  const packetId = cursor.u16()
  if (packetId === 0) cursor.fail(malformed(`the packet identifier of a ${packetNames[type]} is 0`))
  const code = cursor.u8()
  const codes = type === packetType.puback || type === packetType.pubrec ? deliveryCodes : releaseCodes
  if (cursor.fault === null && !codes.has(code)) return unknownReason(type, code)
  if (cursor.at < cursor.end) skipProperties(cursor, allowedProperties.acknowledgement)
  return cursor.finish() ?? packetId
}

/**
 * The packet identifier of a broker's acknowledgement, or null where there is none. It is final when the message has come to
 * its end: a PUBACK, a PUBCOMP, or a PUBREC that refuses (MQTT 5 §4.3.3).
 */
export function readAcknowledgement(packet: Buffer): { readonly packetId: number; readonly isFinal: boolean } | null {
  const at = bodyOffset(packet)
  if (packet.length < at + 2) return null
  const isFinal = typeOf(packet) !== packetType.pubrec || (packet[at + 2] ?? 0) >= 0x80
  return { packetId: packet.readUInt16BE(at), isFinal }
}

/** A reason code that the packet may not carry. */
export function unknownReason(type: number, code: number): Violation {
  return protocolError(`a ${packetNames[type]} does not have a reason 0x${code.toString(16).padStart(2, '0')}`)
}

/**
 * An acknowledgement in its short form for success and under MQTT 3.1.1.
 *
 * @param sentence the Reason String, or null for none
 */
export function encodeAcknowledgement(
  type: AcknowledgementType,
  packetId: number,
  version: ProtocolVersion,
  reasonCode: number = reason.success,
  sentence: string | null = null,
): Buffer {
  const first = (type << 4) | (type === packetType.pubrel ? 2 : 0)
  if (version === 4 || (reasonCode === reason.success && sentence === null)) return packetOf(first, u16(packetId))
  return packetOf(first, u16(packetId), Buffer.of(reasonCode), propertyBlock(reasonStringOf(sentence)))
}
