/** CONNACK (MQTT 3.1.1 §3.2, MQTT 5 §3.2). */
import { Cursor } from './cursor.ts'
import { packetOf, propertyBlock } from './encoding.ts'
import { allowedProperties, type Property, readProperties } from './properties.ts'
import { type ProtocolVersion, packetType } from './protocol.ts'
import { malformed, type Violation } from './violation.ts'

export interface Connack {
  readonly sessionPresent: boolean
  /** Return code of MQTT 3.1.1 or reason code of MQTT 5; 0 is success in both. */
  readonly code: number
  /** None under MQTT 3.1.1. */
  readonly properties: readonly Property[]
}

/** Reads a whole CONNACK packet of a broker. */
export function parseConnack(packet: Buffer, version: ProtocolVersion): Connack | Violation {
  const cursor = new Cursor(packet)
  const flags = cursor.u8()
  const code = cursor.u8()
  if (cursor.fault === null && flags > 1) return malformed('reserved flags of the CONNACK are set')
  const properties = version === 5 ? readProperties(cursor, allowedProperties.connack) : []
  return cursor.finish() ?? { sessionPresent: flags === 1, code, properties }
}

export function encodeConnack({ sessionPresent, code, properties }: Connack, version: ProtocolVersion): Buffer {
  const head = Buffer.of(sessionPresent ? 1 : 0, code)
  return version === 5
    ? packetOf(packetType.connack << 4, head, propertyBlock(properties))
    : packetOf(packetType.connack << 4, head)
}
