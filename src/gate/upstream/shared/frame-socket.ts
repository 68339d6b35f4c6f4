/** Frames over a socket between two processes of a hub: the same as between its threads, and what a read cuts is joined. */
import type { Socket } from 'node:net'
import { assert } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { type FrameReader, readFrames } from '../embedded/frames.ts'
import type { FramePort } from '../embedded/link.ts'

export interface SocketFramePort extends FramePort {
  /** More is on its way than should be; the socket tells with `drain` when it is gone. */
  isFull(): boolean
}

export function framePort(socket: Socket): SocketFramePort {
  return {
    isFull: () => socket.writableLength > limits.sharedWaitingBytesMax,
    postMessage(message) {
      // Credit bounds what waits here: no connection has more on its way than its other end has room for.
      if (socket.writable) socket.write(new Uint8Array(message))
    },
  }
}

/** Reads frames until the socket ends. A fault in them ends the socket: nothing behind it can be understood. */
export function readFramesFrom(socket: Socket, reader: FrameReader): void {
  let rest: Buffer<ArrayBuffer> | null = null
  socket.on('data', (chunk: Buffer<ArrayBuffer>) => {
    const bytes = rest === null ? chunk : Buffer.concat([rest, chunk])
    try {
      const read = readFrames(bytes, reader)
      rest = read === bytes.length ? null : bytes.subarray(read)
      assert(rest === null || rest.length <= limits.sharedFrameBytesMax, 'a frame is longer than it may be')
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined)
    }
  })
}
