/**
 * What travels between the gate and the broker's thread: frames of [connection u32][kind u8, length u24][bytes], little
 * endian, any number of them in one ArrayBuffer. One message for all that one turn of the event loop brings costs a
 * fraction of a message each.
 */
import { assert } from '../../../core/errors.ts'

export const frameKinds = {
  /** Gate to broker: a client arrives. */
  open: 1,
  /** Both ways: bytes of a client. */
  data: 2,
  /** Both ways: so many bytes have been taken, as many more may come. The length is the number; no bytes follow. */
  credit: 3,
  /** Both ways: the connection is over. The length is 1 where the broker itself failed; no bytes follow. */
  close: 4,
} as const
export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds]

const headerBytes = 8
/** What 24 bits hold. */
const lengthMax = 0xff_ffff
/** Consecutive bytes of one connection join one frame up to this size. */
const joinedBytesMax = 256 * 1024

/** Frames that wait for the end of the turn. The bytes handed in must not change until then. */
export class FrameBatch {
  /** Connection and [kind, length] of each frame. */
  readonly #heads: number[] = []
  readonly #bodies: (Uint8Array | null)[] = []
  /** How many bodies each frame is made of. */
  readonly #bodyCounts: number[] = []
  #bytes = 0

  get isEmpty(): boolean {
    return this.#heads.length === 0
  }

  addData(connection: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#bodies.push(bytes)
    this.#bytes += bytes.length
    const last = this.#heads.length - 1
    const lastWord = this.#heads[last] ?? 0
    const joined = (lastWord & lengthMax) + bytes.length
    if (this.#heads[last - 1] === connection && lastWord >>> 24 === frameKinds.data && joined <= joinedBytesMax) {
      this.#heads[last] = word(frameKinds.data, joined)
      this.#bodyCounts[this.#bodyCounts.length - 1] = (this.#bodyCounts.at(-1) ?? 0) + 1
      return
    }
    assert(bytes.length <= lengthMax, 'bytes of a client do not fit a frame')
    this.#addHead(connection, word(frameKinds.data, bytes.length), 1)
  }

  addSign(connection: number, kind: Exclude<FrameKind, 2>, value = 0): void {
    this.#addHead(connection, word(kind, Math.min(value, lengthMax)), 0)
  }

  /** All frames in a buffer of exactly their size, to be transferred; the batch is empty afterwards. */
  take(): ArrayBuffer {
    const buffer = new ArrayBuffer(this.#bytes)
    const bytes = new Uint8Array(buffer)
    const view = new DataView(buffer)
    let at = 0
    let body = 0
    for (let frame = 0; frame < this.#bodyCounts.length; frame++) {
      view.setUint32(at, this.#heads[2 * frame] ?? 0, true)
      view.setUint32(at + 4, this.#heads[2 * frame + 1] ?? 0, true)
      at += headerBytes
      for (let left = this.#bodyCounts[frame] ?? 0; left > 0; left--) {
        const part = this.#bodies[body++]
        if (part == null) continue
        bytes.set(part, at)
        at += part.length
      }
    }
    this.#heads.length = 0
    this.#bodies.length = 0
    this.#bodyCounts.length = 0
    this.#bytes = 0
    return buffer
  }

  #addHead(connection: number, head: number, bodyCount: number): void {
    this.#heads.push(connection, head)
    this.#bodyCounts.push(bodyCount)
    this.#bytes += headerBytes
  }
}

export interface FrameReader {
  onOpen(connection: number): void
  onData(connection: number, bytes: Buffer): void
  onCredit(connection: number, bytes: number): void
  onClose(connection: number, broken: boolean): void
}

/**
 * Hands each whole frame to the reader, in order. The bytes are views of the buffer.
 *
 * @returns how many bytes whole frames took: all of a message between threads, maybe less of what a socket brings
 */
export function readFrames(buffer: ArrayBuffer | Uint8Array<ArrayBuffer>, reader: FrameReader): number {
  const { buffer: memory, byteOffset, byteLength } = buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : buffer
  const view = new DataView(memory, byteOffset, byteLength)
  let at = 0
  while (at + headerBytes <= byteLength) {
    const connection = view.getUint32(at, true)
    const head = view.getUint32(at + 4, true)
    const length = head & lengthMax
    switch (head >>> 24) {
      case frameKinds.data:
        if (at + headerBytes + length > byteLength) return at
        reader.onData(connection, Buffer.from(memory, byteOffset + at + headerBytes, length))
        at += length
        break
      case frameKinds.credit:
        reader.onCredit(connection, length)
        break
      case frameKinds.open:
        reader.onOpen(connection)
        break
      case frameKinds.close:
        reader.onClose(connection, length === 1)
        break
      default:
        assert(false, `a frame of kind ${head >>> 24}`)
    }
    at += headerBytes
  }
  return at
}

function word(kind: FrameKind, length: number): number {
  return ((kind << 24) | length) >>> 0
}
