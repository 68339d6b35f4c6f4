/** One client's way to a broker over a socket of its own. */
import type { Socket } from 'node:net'
import { limits } from '../../../core/limits.ts'
import type { UpstreamConnection, UpstreamListener } from '../../../hub/ports/upstream.ts'
import type { Doorway } from './doorway.ts'

export interface RemoteConnectionOptions {
  readonly dial: () => Socket
  readonly doorway: Doorway
  /** The CONNECT of the client. */
  readonly hello: Uint8Array
  readonly listener: UpstreamListener
  /** Asked when the broker closes: whether it is the broker that has gone. */
  isBrokerUp(): boolean
  /** The connection is over. */
  forget(): void
}

export class RemoteConnection implements UpstreamConnection {
  readonly #options: RemoteConnectionOptions
  readonly #listener: UpstreamListener
  /** Null while it waits for its turn. */
  #socket: Socket | null = null
  /** What goes out when the socket stands; null from then on. */
  #unsent: Uint8Array[] | null
  #mustWait = false
  #ended = false

  constructor(options: RemoteConnectionOptions) {
    this.#options = options
    this.#listener = options.listener
    this.#unsent = [options.hello]
    options.doorway.enter(this.#open)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#ended) return true
    if (this.#unsent !== null) {
      this.#unsent.push(bytes)
      this.#mustWait = true
    } else if (this.#socket !== null && !this.#socket.destroyed) {
      this.#socket.write(bytes)
      if (this.#socket.writableLength >= limits.upstreamCreditBytes) this.#mustWait = true
    }
    return !this.#mustWait
  }

  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    if (!this.#ended) this.#socket?.resume()
  }

  /** What was sent goes out before the end; a broker that does not take it is left. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.forget()
    const socket = this.#socket
    if (socket === null) return
    if (this.#unsent !== null) {
      // The broker has heard nothing of the client.
      socket.destroy()
      return
    }
    // What the broker still sends is read and dropped: closing with bytes unread would reset what is on its way to it.
    socket.off('data', this.#onData)
    socket.resume()
    socket.end()
    const timer = setTimeout(() => socket.destroy(), limits.farewellMs)
    socket.once('close', () => clearTimeout(timer))
  }

  /** Ends it from the broker's side. */
  end(broken: boolean): void {
    this.#socket?.destroy()
    this.#leave(broken)
  }

  readonly #open = (): void => {
    if (this.#ended) return
    const socket = this.#options.dial()
    this.#socket = socket
    let error: NodeJS.ErrnoException | null = null
    socket.once('connect', () => this.#onConnect(socket))
    socket.on('data', this.#onData)
    socket.on('drain', () => this.#onDrain())
    socket.on('error', (cause) => {
      error = cause
    })
    socket.once('close', () => {
      if (this.#unsent !== null && error?.code === 'EAGAIN') this.#openAgain()
      // When a broker dies all its sockets end, in any order, and the one that watches it among them.
      else setImmediate(() => this.#leave(error !== null || !this.#options.isBrokerUp()))
    })
  }

  /** A broker that takes nobody any more is found out by its server, which ends this connection too. */
  #openAgain(): void {
    this.#socket = null
    if (!this.#ended) this.#options.doorway.enterAgain(this.#open)
  }

  #onConnect(socket: Socket): void {
    const unsent = this.#unsent ?? []
    this.#unsent = null
    for (const bytes of unsent) socket.write(bytes)
    if (socket.writableLength < limits.upstreamCreditBytes) this.#onDrain()
  }

  readonly #onData = (bytes: Buffer): void => this.#listener.onData(bytes)

  #onDrain(): void {
    if (!this.#mustWait || this.#ended) return
    this.#mustWait = false
    this.#listener.onDrain()
  }

  #leave(broken: boolean): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.forget()
    this.#listener.onClose(broken)
  }
}
