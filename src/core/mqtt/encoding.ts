/** Builds packets from their fields. Callers give values that fit; what came from a peer was parsed before. */
import { assert } from '../errors.ts'
import { type Property, property } from './properties.ts'

/** A whole packet: first byte, remaining length and body. */
export function packetOf(firstByte: number, ...parts: readonly Buffer[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  return Buffer.concat([Buffer.of(firstByte), varint(length), ...parts])
}

export function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff)
}

export function varint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(varintLength(value))
  putVarint(bytes, 0, value)
  return bytes
}

/** How many bytes a Variable Byte Integer takes. */
export function varintLength(value: number): number {
  assert(value >= 0 && value < 268_435_456, `${value} does not fit a variable byte integer`)
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  return value < 0x20_0000 ? 3 : 4
}

/** Writes a Variable Byte Integer. @returns where it ends */
export function putVarint(bytes: Buffer, start: number, value: number): number {
  let at = start
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
  bytes[at++] = rest
  return at
}

/** Binary data with its length in front. */
export function binary(bytes: Buffer): Buffer {
  assert(bytes.length <= 0xffff, `${bytes.length} bytes do not fit a string of MQTT`)
  return Buffer.concat([u16(bytes.length), bytes])
}

/** A UTF-8 string with its length in front. */
export function text(value: string): Buffer {
  return binary(Buffer.from(value, 'utf8'))
}

/** Properties without the length in front. */
export function propertyBytes(properties: readonly Property[]): Buffer {
  return Buffer.concat(properties.flatMap(({ id, value }) => [Buffer.of(id), value]))
}

/** A property block with its length in front. */
export function propertyBlock(properties: readonly Property[]): Buffer {
  const parts: Buffer[] = []
  for (const { id, value } of properties) parts.push(Buffer.of(id), value)
  const body = Buffer.concat(parts)
  return Buffer.concat([varint(body.length), body])
}

export function u16Property(id: number, value: number): Property {
  return { id, value: u16(value) }
}

export function u32Property(id: number, value: number): Property {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return { id, value: bytes }
}

export function flagProperty(id: number, value: 0 | 1): Property {
  return { id, value: Buffer.of(value) }
}

export function textProperty(id: number, value: string): Property {
  return { id, value: text(value) }
}

export function binaryProperty(id: number, bytes: Buffer): Property {
  return { id, value: binary(bytes) }
}

export function pairProperty(id: number, name: string, value: string): Property {
  return { id, value: Buffer.concat([text(name), text(value)]) }
}

/** A Reason String as a property list: empty for null. */
export function reasonStringOf(sentence: string | null): readonly Property[] {
  return sentence === null ? [] : [textProperty(property.reasonString, sentence)]
}

/**
 * A packet with its Reason String, or without it where the client's Maximum Packet Size would be exceeded
 * (MQTT-3.2.2-19 and its like).
 *
 * @param encode builds the packet around a sentence or null
 * @param bytesMax what the client accepts, in bytes
 */
export function withReasonString(
  encode: (sentence: string | null) => Buffer,
  sentence: string | null,
  bytesMax: number,
): Buffer {
  const full = encode(sentence)
  return sentence === null || full.length <= bytesMax ? full : encode(null)
}
