/** Frames over a socket between two processes of a hub: the same as between its threads, and what a read cuts is joined. */
import type { Socket } from 'node:net'
import { type FrameReader, readFrames } from '../embedded/frames.ts'
import type { FramePort } from '../embedded/link.ts'

export function framePort(socket: Socket): FramePort {
  return {
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
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined)
    }
  })
}
