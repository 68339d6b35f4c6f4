/** One client's way to a broker over a socket of its own. */
import type { Socket } from 'node:net'
import { limits } from '../../../core/limits.ts'
import type { UpstreamConnection, UpstreamListener } from '../../../hub/ports/upstream.ts'

export class RemoteConnection implements UpstreamConnection {
  readonly #socket: Socket
  readonly #listener: UpstreamListener
  readonly #forget: () => void
  readonly #isBrokerUp: () => boolean
  #failed = false
  #mustWait = false
  #ended = false

  /** @param isBrokerUp asked when the broker closes: whether it is the broker that has gone */
  constructor(socket: Socket, listener: UpstreamListener, isBrokerUp: () => boolean, forget: () => void) {
    this.#socket = socket
    this.#listener = listener
    this.#isBrokerUp = isBrokerUp
    this.#forget = forget
    socket.on('data', this.#onData)
    socket.on('drain', () => this.#onDrain())
    socket.on('error', () => {
      this.#failed = true
    })
    // When a broker dies all its sockets end, in any order, and the one that watches it among them.
    socket.once('close', () => setImmediate(() => this.#leave(this.#failed || !this.#isBrokerUp())))
  }

  send(bytes: Uint8Array): boolean {
    if (this.#ended || this.#socket.destroyed) return true
    this.#socket.write(bytes)
    if (this.#socket.writableLength >= limits.upstreamCreditBytes) this.#mustWait = true
    return !this.#mustWait
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#ended) this.#socket.resume()
  }

  /** What was sent goes out before the end; a broker that does not take it is left. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#forget()
    // What the broker still sends is read and dropped: closing with bytes unread would reset what is on its way to it.
    this.#socket.off('data', this.#onData)
    this.#socket.resume()
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), limits.farewellMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  /** Ends it from the broker's side. */
  end(broken: boolean): void {
    this.#socket.destroy()
    this.#leave(broken)
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
    this.#forget()
    this.#listener.onClose(broken)
  }
}
