/**
 * Shares the upstream of a hub with its gate processes, over a private unix socket, and with gates on other machines, over
 * sockets that others have accepted: one socket for each gate, and all its connections in it. Connection 0 is none: it is opened
 * when the upstream can be used and closed when it cannot. A gate that keeps to none of its bounds is cut off.
 */
import { createServer, type Socket } from 'node:net'
import { assert, HubError } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import type { Log } from '../../../hub/ports/log.ts'
import type { Upstream, UpstreamConnection } from '../../../hub/ports/upstream.ts'
import { FrameLink } from '../embedded/link.ts'
import { framePort, readFramesFrom, type SocketFramePort } from './frame-socket.ts'
import { readIntroduction } from './introduction.ts'

/** How often it is looked whether the upstream can be used. */
const lookEveryMs = 100

export interface UpstreamHost {
  /** Serves a gate on a socket that somebody else has accepted, and judged. */
  serve(socket: Socket): void
  /** Ends the sockets of all gates; the upstream itself goes on. */
  stop(): Promise<void>
}

interface Shared {
  readonly upstream: Upstream
  readonly log: Log
}

/** Without a socket of its own. */
export function upstreamHost({ upstream, log }: Shared): UpstreamHost {
  const gates = new Set<Socket>()
  return {
    serve(socket) {
      gates.add(socket)
      socket.once('close', () => gates.delete(socket))
      serveGate(upstream, socket, log)
    },
    async stop() {
      for (const socket of gates) socket.destroy()
    },
  }
}

/** @param path of the socket, in a folder that nobody else may enter; nothing stands there yet */
export async function hostUpstream(shared: Shared, path: string): Promise<UpstreamHost> {
  const host = upstreamHost(shared)
  const server = createServer((socket) => host.serve(socket))
  // The socket must never be open to others, not even for the moment between listen and chmod.
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path }, resolve)
    })
  } finally {
    process.umask(umask)
  }
  return {
    serve: host.serve,
    async stop() {
      await host.stop()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function serveGate(upstream: Upstream, socket: Socket, log: Log): void {
  const port = framePort(socket)
  const link = new FrameLink(port)
  const connections = new Map<number, HostedConnection>()
  let wasAvailable: boolean | null = null
  function look(): void {
    const isAvailable = upstream.isAvailable()
    if (isAvailable === wasAvailable) return
    wasAvailable = isAvailable
    if (isAvailable) link.open(0)
    else link.close(0, true)
  }
  look()
  const timer = setInterval(look, lookEveryMs)
  socket.on('error', (error) => log.warn('a gate process is cut off from the broker', { error }))
  socket.on('drain', () => {
    for (const connection of connections.values()) connection.grant(0)
  })
  socket.once('close', () => {
    clearInterval(timer)
    link.cut()
    for (const connection of connections.values()) connection.close()
    connections.clear()
  })
  readFramesFrom(socket, {
    onOpen(number) {
      assert(!connections.has(number), `a gate opens connection ${number} twice`)
      assert(connections.size < limits.sharedConnectionsMax, 'a gate opens more connections than it may have')
      const forget = (): void => {
        connections.delete(number)
        look()
      }
      connections.set(number, new HostedConnection({ upstream, link, port, log }, number, forget))
    },
    onData: (number, bytes) => connections.get(number)?.receive(bytes),
    onCredit: (number, bytes) => connections.get(number)?.grant(bytes),
    onClose(number) {
      connections.get(number)?.close()
      connections.delete(number)
    },
  })
}

interface Hosting {
  readonly upstream: Upstream
  readonly link: FrameLink
  readonly port: SocketFramePort
  readonly log: Log
}

/** The hub's end of one connection of a gate process. */
class HostedConnection {
  readonly #hosting: Hosting
  readonly #number: number
  readonly #onEnd: () => void
  /** Null until the gate has said who comes. */
  #connection: UpstreamConnection | null = null
  /** Bytes taken that the gate has not been given credit for. */
  #owed = 0
  /** Bytes that the gate will still hold. */
  #window: number = limits.upstreamCreditBytes
  #isPaused = false

  constructor(hosting: Hosting, number: number, onEnd: () => void) {
    this.#hosting = hosting
    this.#number = number
    this.#onEnd = onEnd
  }

  /** Throws at an introduction that is none; what the gate says cannot be understood then. */
  receive(bytes: Buffer): void {
    this.#owed += bytes.length
    assert(
      this.#owed <= limits.sharedOwedBytesMax,
      `a gate sends on connection ${this.#number} what it has no credit for`,
    )
    if (this.#connection === null) this.#begin(bytes)
    else this.#send(this.#connection, bytes)
  }

  #begin(bytes: Buffer): void {
    const { client, bytes: read } = readIntroduction(bytes)
    try {
      this.#connection = this.#hosting.upstream.connect(client, {
        onData: (delivered) => this.#deliver(delivered),
        onDrain: () => this.#giveCredit(1),
        onClose: (broken) => this.#end(broken),
      })
    } catch (error) {
      if (!(error instanceof HubError)) this.#hosting.log.error('the broker cannot be asked', { error })
      this.#end(true)
      return
    }
    if (read < bytes.length) this.#send(this.#connection, bytes.subarray(read))
  }

  grant(bytes: number): void {
    this.#window += bytes
    if (!this.#isPaused || this.#window <= 0 || this.#hosting.port.isFull()) return
    this.#isPaused = false
    this.#connection?.resume()
  }

  close(): void {
    this.#connection?.close()
  }

  #send(connection: UpstreamConnection, bytes: Uint8Array): void {
    if (connection.send(bytes)) this.#giveCredit(limits.upstreamCreditBytes / 4)
  }

  #end(broken: boolean): void {
    this.#hosting.link.close(this.#number, broken)
    this.#onEnd()
  }

  #deliver(bytes: Uint8Array): void {
    this.#hosting.link.data(this.#number, bytes)
    this.#window -= bytes.length
    // A gate far away may read slowly as a whole: then all wait, and go on when it has read.
    if (this.#isPaused || (this.#window > 0 && !this.#hosting.port.isFull())) return
    this.#isPaused = true
    this.#connection?.pause()
  }

  /** Small debts wait: the gate goes on until half of its credit is used. */
  #giveCredit(bytesMin: number): void {
    if (this.#owed < bytesMin) return
    this.#hosting.link.credit(this.#number, this.#owed)
    this.#owed = 0
  }
}
