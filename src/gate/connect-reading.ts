/** Waits for the first packet of a client, a CONNECT, within bounds of size and time. */
import type { Duplex } from 'node:stream'
import { PacketSplitter } from '../core/mqtt/splitter.ts'
import { Violation } from '../core/mqtt/violation.ts'
import type { GateLimits } from './options.ts'

export type FirstPacket =
  /** `splitter` holds what came behind the packet. The socket is paused. */
  | { readonly kind: 'packet'; readonly packet: Buffer; readonly splitter: PacketSplitter }
  /** `head` is what came so far. */
  | { readonly kind: 'violation'; readonly violation: Violation; readonly head: Buffer }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'closed'; readonly error: Error | null }

/** Reads until one of the outcomes is there. Nothing but that packet is taken from the client. */
export function readFirstPacket(
  socket: Duplex,
  limits: Pick<GateLimits, 'connectMs' | 'connectBytesMax'>,
): Promise<FirstPacket> {
  return new Promise((resolve) => {
    const splitter = new PacketSplitter(limits.connectBytesMax, 'connect')
    let error: Error | null = null
    const finish = (outcome: FirstPacket) => {
      clearTimeout(timer)
      socket.pause()
      socket.off('data', onData)
      socket.off('error', onError)
      socket.off('close', onClose)
      socket.off('end', onClose)
      resolve(outcome)
    }
    const onData = (chunk: Buffer) => {
      splitter.feed(chunk)
      const packet = splitter.take()
      if (packet instanceof Violation) finish({ kind: 'violation', violation: packet, head: chunk })
      else if (packet !== null) finish({ kind: 'packet', packet, splitter })
    }
    const onError = (cause: Error) => {
      error = cause
    }
    const onClose = () => finish({ kind: 'closed', error })
    const timer = setTimeout(() => finish({ kind: 'timeout' }), limits.connectMs)
    socket.on('data', onData)
    socket.on('error', onError)
    socket.on('close', onClose)
    socket.on('end', onClose)
    if (socket.destroyed) onClose()
  })
}
