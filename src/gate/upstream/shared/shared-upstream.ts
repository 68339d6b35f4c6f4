/** The upstream of a hub as its gates reach it, in processes beside it or on other machines; see `upstream-host.ts`. */
import { connect, Socket } from 'node:net'
import { HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import type { Upstream, UpstreamAbilities } from '../../../hub/ports/upstream.ts'
import { FramedConnections } from '../embedded/framed-connections.ts'
import { FrameLink } from '../embedded/link.ts'
import { framePort, readFramesFrom } from './frame-socket.ts'
import { encodeIntroduction } from './introduction.ts'

export interface SharedUpstreamOptions {
  /** Of the hub's socket, or a connection to it that stands already. */
  readonly way: { readonly path: string } | Socket
  /** Those of the upstream behind it. */
  readonly abilities: UpstreamAbilities
}

/**
 * Reaches the hub's upstream; it is known whether it can be used when this is fulfilled.
 *
 * @throws HubError `upstream-unavailable` when the hub does not answer
 */
export async function openSharedUpstream({ way, abilities }: SharedUpstreamOptions): Promise<Upstream> {
  const socket = way instanceof Socket ? way : connect(way)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const failed = (cause?: unknown): void =>
    reject(new HubError('upstream-unavailable', 'the hub does not answer on the socket of its broker', { cause }))
  const timer = setTimeout(failed, limits.upstreamConnectMs)
  socket.on('error', failed)
  socket.once('close', () => failed())

  const connections = new FramedConnections()
  const link = new FrameLink(framePort(socket))
  let isAvailable = false
  function down(broken: boolean): void {
    isAvailable = false
    connections.endAll(broken)
  }
  readFramesFrom(socket, {
    ...connections.reader,
    onOpen() {
      isAvailable = true
      resolve()
    },
    onClose(number, broken) {
      if (number !== 0) return connections.reader.onClose(number, broken)
      down(broken)
      resolve()
    },
  })
  socket.once('close', () => {
    link.cut()
    down(true)
  })
  try {
    await promise
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return {
    abilities,
    isAvailable: () => isAvailable,
    connect(client, listener) {
      if (!isAvailable) throw new HubError('upstream-unavailable', 'the broker behind the hub is being started again')
      const connection = connections.open(link, listener)
      connection.send(encodeIntroduction(client))
      return connection
    },
    async stop() {
      await new Promise((resolve) => setImmediate(resolve))
      down(false)
      await closed(socket)
    },
  }
}

function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('close', () => resolve())
  // What sessions said last, such as a DISCONNECT, still arrives.
  socket.destroySoon()
  return promise
}
