/**
 * Bounds what the codec of Aedes, mqtt-packet, keeps. It remembers the bytes of every packet length below 16,384 as it meets
 * them, four bytes that each hold a whole slab of `Buffer`'s pool: up to a gigabyte, for whoever sends messages of all lengths.
 * When all are asked for at once, they lie side by side in a few slabs.
 */
import { createRequire } from 'node:module'

/** Lengths that the codec remembers: those that fit two bytes. */
const REMEMBERED = 16_384

/** What `PUBLISH` to a topic of one byte adds to its payload. */
const OVERHEAD = 3

/** The part of mqtt-packet that is used here. */
interface Codec {
  writeToStream(packet: object, stream: { write(bytes: Uint8Array): boolean }): void
}

/** Asks for all of them; it takes some 30 ms. */
export function fillCodecMemory(): void {
  // The codec as Aedes finds it, not another copy.
  const { writeToStream } = createRequire(import.meta.resolve('aedes'))('mqtt-packet') as Codec
  const nowhere = { write: () => true }
  const payload = Buffer.alloc(REMEMBERED)
  const message = { cmd: 'publish', topic: 't', qos: 0, retain: false, dup: false } as const
  for (let length = OVERHEAD; length < REMEMBERED; length++) {
    writeToStream({ ...message, payload: payload.subarray(0, length - OVERHEAD) }, nowhere)
  }
}
