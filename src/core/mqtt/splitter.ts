/**
 * Cuts a byte stream into whole MQTT packets.
 *
 * Packets that lie within one chunk come out as views of that chunk, so that what arrived together can be sent on
 * together. Only the tail of a chunk is copied, into a buffer that grows with what has really arrived, never with what a
 * length field claims.
 */
import { packetNames, packetType, reason } from './protocol.ts'
import { malformed, Violation } from './violation.ts'

const empty = Buffer.alloc(0)
const CONNECT_FIRST_BYTE = packetType.connect << 4

export class PacketSplitter {
  #chunk: Buffer = empty
  #at = 0
  /** Start of a packet that is not whole yet; `#heldLength` bytes of it count. */
  #held: Buffer = empty
  #heldLength = 0
  #bytesMax: number
  #expectsConnect: boolean
  #mayRepeat = false

  /**
   * @param bytesMax longest packet, header included, in bytes
   * @param expects `connect` refuses at its first byte whatever is not a CONNECT
   */
  constructor(bytesMax: number, expects: 'connect' | 'any' = 'any') {
    this.#bytesMax = bytesMax
    this.#expectsConnect = expects === 'connect'
  }

  /**
   * The CONNECT has been taken: from now on any packet may come, of up to `bytesMax` bytes.
   *
   * @param mayRepeat MQTT 3.1 sets DUP also on PUBREL, SUBSCRIBE and UNSUBSCRIBE that are sent again; it is taken off
   */
  afterConnect(bytesMax: number, mayRepeat = false): void {
    this.#expectsConnect = false
    this.#bytesMax = bytesMax
    this.#mayRepeat = mayRepeat
  }

  /** Adds received bytes. The splitter keeps views of the chunk, which must not be changed afterwards. */
  feed(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) this.#hold(this.#chunk.length)
    this.#chunk = asBuffer(chunk)
    this.#at = 0
  }

  /** The next whole packet, null when more bytes are needed, or why the stream cannot be cut any further. */
  take(): Buffer | Violation | null {
    const packet = this.#takeNext()
    if (this.#mayRepeat && Buffer.isBuffer(packet)) takeDupOff(packet)
    return packet
  }

  /** Gives back what of the last chunk has not been taken, to be fed again later. A packet that is not whole yet stays. */
  giveBack(): Buffer {
    const rest = this.#chunk.subarray(this.#at)
    this.#chunk = empty
    this.#at = 0
    return rest
  }

  #takeNext(): Buffer | Violation | null {
    if (this.#heldLength > 0) return this.#takeHeld()
    const size = this.#packetSize(this.#chunk, this.#at, this.#chunk.length)
    if (typeof size !== 'number') return size
    const start = this.#at
    if (size === 0 || start + size > this.#chunk.length) {
      this.#hold(this.#chunk.length)
      return null
    }
    this.#at = start + size
    return this.#chunk.subarray(start, start + size)
  }

  #takeHeld(): Buffer | Violation | null {
    for (;;) {
      const size = this.#packetSize(this.#held, 0, this.#heldLength)
      if (typeof size !== 'number') return size
      const missing = size === 0 ? 1 : size - this.#heldLength
      if (missing <= 0) {
        const packet = this.#held.subarray(0, size)
        this.#held = missing < 0 ? this.#held.subarray(size) : empty
        this.#heldLength = -missing
        return packet
      }
      if (this.#at === this.#chunk.length) return null
      this.#hold(Math.min(this.#at + missing, this.#chunk.length))
    }
  }

  /** Copies the chunk up to `end` behind what is held. */
  #hold(end: number): void {
    const length = end - this.#at
    if (length === 0) return
    const needed = this.#heldLength + length
    if (needed > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#held.length * 2, this.#bytesMax)))
      this.#held.copy(grown, 0, 0, this.#heldLength)
      this.#held = grown
    }
    this.#chunk.copy(this.#held, this.#heldLength, this.#at, end)
    this.#heldLength = needed
    this.#at = end
    if (end === this.#chunk.length) {
      this.#chunk = empty
      this.#at = 0
    }
  }

  /** Bytes of the packet at `at` with its header, or 0 while the header is not complete. */
  #packetSize(bytes: Buffer, at: number, end: number): number | Violation {
    if (at >= end) return 0
    const first = bytes[at] ?? 0
    const refusal = this.#firstByteRefusal(first)
    if (refusal !== null) return refusal
    let length = 0
    for (let i = 1; i <= 4; i++) {
      if (at + i >= end) return 0
      const byte = bytes[at + i] ?? 0
      length += (byte & 0x7f) * 128 ** (i - 1)
      if (byte < 0x80) {
        if (byte === 0 && i > 1) return malformed('the remaining length is not in its shortest form')
        return 1 + i + length <= this.#bytesMax ? 1 + i + length : this.#tooLarge(first, 1 + i + length)
      }
    }
    return this.#expectsConnect
      ? new Violation('connect-malformed', reason.malformedPacket, 'the remaining length of the CONNECT is malformed')
      : malformed('the remaining length takes more than four bytes')
  }

  #firstByteRefusal(first: number): Violation | null {
    if (this.#expectsConnect) {
      if (first === CONNECT_FIRST_BYTE) return null
      return new Violation(
        'connect-malformed',
        reason.malformedPacket,
        `the first byte after the TLS handshake is 0x${hex(first)}, not the 0x10 of an MQTT CONNECT`,
      )
    }
    const type = first >> 4
    const flags = first & 0x0f
    if (type === packetType.publish || flags === requiredFlags[type]) return null
    if (this.#mayRepeat && requiredFlags[type] === 2 && flags === (2 | DUP)) return null
    return malformed(`no packet of MQTT starts with 0x${hex(first)}`)
  }

  #tooLarge(first: number, size: number): Violation {
    return new Violation(
      this.#expectsConnect ? 'connect-too-large' : 'packet-too-large',
      reason.packetTooLarge,
      `a ${packetNames[first >> 4]} of ${size} bytes is larger than ${this.#bytesMax}`,
    )
  }
}

/** The low four bits of the first byte by packet type (MQTT 5 §2.1.3); PUBLISH has its own meaning for them. */
const requiredFlags: readonly (number | null)[] = [null, 0, 0, null, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0]

const DUP = 0x08

function takeDupOff(packet: Buffer): void {
  const first = packet[0] ?? 0
  if (first >> 4 !== packetType.publish) packet[0] = first & ~DUP
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
