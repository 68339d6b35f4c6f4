/**
 * Reads the fields of a packet in order. The first thing that is wrong sticks: it is kept in `fault`, the cursor jumps to
 * the end, and every later read answers an empty value. A parser reads all its fields and looks at `fault` once.
 */
import { isUtf8 } from 'node:buffer'
import { malformed, type Violation } from './violation.ts'

const empty = Buffer.alloc(0)

export class Cursor {
  readonly bytes: Buffer
  at: number
  end: number
  fault: Violation | null = null

  /** Stands behind the fixed header of a whole packet. */
  constructor(packet: Buffer) {
    this.bytes = packet
    this.at = bodyOffset(packet)
    this.end = packet.length
  }

  /** Keeps the first fault. */
  fail(fault: Violation): void {
    this.fault ??= fault
    this.at = this.end
  }

  u8(): number {
    return this.#has(1) ? (this.bytes[this.at++] ?? 0) : 0
  }

  u16(): number {
    if (!this.#has(2)) return 0
    this.at += 2
    return this.bytes.readUInt16BE(this.at - 2)
  }

  u32(): number {
    if (!this.#has(4)) return 0
    this.at += 4
    return this.bytes.readUInt32BE(this.at - 4)
  }

  /** A Variable Byte Integer in its shortest form (MQTT 5 §1.5.5). */
  varint(): number {
    let value = 0
    for (let i = 0; i < 4; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * 128 ** i
      if (byte < 0x80) {
        if (byte === 0 && i > 0) this.fail(malformed('a variable byte integer is not in its shortest form'))
        return value
      }
    }
    this.fail(malformed('a variable byte integer takes more than four bytes'))
    return 0
  }

  /** Binary data with its length in front (MQTT 5 §1.5.6), as a view. */
  binary(): Buffer {
    const length = this.u16()
    if (!this.#has(length)) return empty
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** A UTF-8 encoded string (MQTT 5 §1.5.4). */
  text(): string {
    const length = this.u16()
    if (!this.#has(length)) return ''
    const start = this.at
    const form = textForm(this.bytes, start, start + length)
    if (form === 'invalid') {
      this.fail(malformed('a string is not valid UTF-8 or holds U+0000'))
      return ''
    }
    this.at += length
    return this.bytes.toString(form === 'ascii' ? 'latin1' : 'utf8', start, this.at)
  }

  /** The same, checked and not decoded. */
  skipText(): void {
    const length = this.u16()
    if (!this.#has(length)) return
    if (textForm(this.bytes, this.at, this.at + length) === 'invalid') {
      this.fail(malformed('a string is not valid UTF-8 or holds U+0000'))
      return
    }
    this.at += length
  }

  /** The fault, or one when bytes are left over. */
  finish(): Violation | null {
    if (this.at < this.end) this.fail(malformed(`${this.end - this.at} bytes follow the last field of the packet`))
    return this.fault
  }

  #has(count: number): boolean {
    if (this.at + count <= this.end) return true
    this.fail(malformed('a field reaches past the end of the packet'))
    return false
  }
}

/**
 * What the bytes from `start` to `end` are as text: no U+0000 (MQTT-1.5.4-2), no overlong form, no surrogate
 * (MQTT-1.5.4-1).
 */
export function textForm(bytes: Buffer, start: number, end: number): 'ascii' | 'utf8' | 'invalid' {
  let seen = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte === 0) return 'invalid'
    seen |= byte
  }
  if (seen < 0x80) return 'ascii'
  return isUtf8(bytes.subarray(start, end)) ? 'utf8' : 'invalid'
}

/** Where the body of a whole packet starts, behind its type and remaining length. */
export function bodyOffset(packet: Buffer): number {
  let at = 1
  while (at < 4 && (packet[at] ?? 0) >= 0x80) at++
  return at + 1
}
