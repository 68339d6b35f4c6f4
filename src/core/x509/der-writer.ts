/** Writes DER (X.690 §10, §11): every function returns one whole element. */
import { assert } from '../errors.ts'
import { tags } from './der-tags.ts'
import { timeElement } from './der-time.ts'

/** An element of any tag around the bytes of its parts, in order. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let contentBytes = 0
  for (const part of parts) contentBytes += part.length
  const headerBytes = 1 + lengthBytes(contentBytes)
  const bytes = new Uint8Array(headerBytes + contentBytes)
  writeHeader(bytes, tag, contentBytes)
  let offset = headerBytes
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(tags.sequence, ...parts)
}

/** A SET OF in the order given: with one member it is DER, with more the caller has sorted them or needs only BER. */
export function derSet(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(tags.set, ...parts)
}

export function derBoolean(value: boolean): Uint8Array {
  return Uint8Array.of(tags.boolean, 1, value ? 0xff : 0)
}

export function derNull(): Uint8Array {
  return Uint8Array.of(tags.null, 0)
}

/** A non-negative INTEGER from its big-endian octets, with or without leading zeros. */
export function derUnsigned(octets: Uint8Array): Uint8Array {
  let start = 0
  while (start < octets.length - 1 && octets[start] === 0) start += 1
  const first = octets[start]
  assert(first !== undefined, 'an INTEGER needs an octet')
  const magnitude = octets.subarray(start)
  return first >= 0x80 ? derElement(tags.integer, Uint8Array.of(0), magnitude) : derElement(tags.integer, magnitude)
}

/** A non-negative INTEGER. */
export function derInteger(value: number | bigint): Uint8Array {
  assert(value >= 0, 'only non-negative integers are written')
  const hex = value.toString(16)
  return derUnsigned(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'))
}

/** Those that were written before: a hub has a few dozen, and writes each of them into every certificate. */
const oidElements = new Map<string, Uint8Array>()
const oidElementsMax = 256

/** An OBJECT IDENTIFIER from its dotted form, such as `2.5.4.3`; arcs below 2^31. Nobody changes what it answers. */
export function derOid(dotted: string): Uint8Array {
  const before = oidElements.get(dotted)
  if (before !== undefined) return before
  const element = oidElement(dotted)
  if (oidElements.size < oidElementsMax) oidElements.set(dotted, element)
  return element
}

function oidElement(dotted: string): Uint8Array {
  const [first = Number.NaN, second = Number.NaN, ...rest] = dotted.split('.').map(Number)
  assert(first <= 2 && second <= (first < 2 ? 39 : 0x7fff_ff00), 'an object identifier starts with two arcs')
  const octets: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    assert(Number.isSafeInteger(arc) && arc >= 0 && arc < 2 ** 31, 'an arc is a number below 2^31')
    for (let shift = 28; shift > 0; shift -= 7) if (arc >>> shift > 0) octets.push(((arc >>> shift) & 0x7f) | 0x80)
    octets.push(arc & 0x7f)
  }
  return derElement(tags.oid, Uint8Array.from(octets))
}

export function derOctetString(content: Uint8Array): Uint8Array {
  return derElement(tags.octetString, content)
}

/** A BIT STRING of whole octets. */
export function derBitString(content: Uint8Array): Uint8Array {
  return derElement(tags.bitString, Uint8Array.of(0), content)
}

/** A BIT STRING of named bits: trailing zero bits are left out (X.690 §11.2.2). At least one number, each 0 to 15. */
export function derNamedBits(numbers: readonly number[]): Uint8Array {
  const highest = Math.max(...numbers)
  assert(highest >= 0 && highest < 16, 'named bits are numbered 0 to 15')
  const octets = new Uint8Array((highest >> 3) + 1)
  for (const number of numbers) {
    const index = number >> 3
    octets[index] = (octets[index] ?? 0) | (0x80 >> (number & 7))
  }
  return derElement(tags.bitString, Uint8Array.of(7 - (highest & 7)), octets)
}

export function derUtf8String(text: string): Uint8Array {
  return derElement(tags.utf8String, Buffer.from(text, 'utf8'))
}

/** A point in time as RFC 5280 §4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime from 2050. */
export function derTime(epochSec: number): Uint8Array {
  return timeElement(epochSec)
}

/** Octets that the length field of so many content octets takes. */
export function lengthBytes(contentBytes: number): number {
  if (contentBytes < 0x80) return 1
  if (contentBytes < 0x100) return 2
  if (contentBytes < 0x1_0000) return 3
  return contentBytes < 0x100_0000 ? 4 : 5
}

/** Writes identifier and length octets at the start of `target`. */
export function writeHeader(target: Uint8Array, tag: number, contentBytes: number): void {
  target[0] = tag
  const count = lengthBytes(contentBytes) - 1
  if (count === 0) {
    target[1] = contentBytes
    return
  }
  target[1] = 0x80 | count
  for (let i = 0; i < count; i += 1) target[2 + i] = (contentBytes >>> (8 * (count - 1 - i))) & 0xff
}
