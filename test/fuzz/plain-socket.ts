/**
 * The gate's end of a connection without TCP and TLS below it, so that a million packets take minutes and not hours. What the
 * gate reads and writes passes through a real stream.
 */
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Sockets } from '../../src/gate/farewell.ts'

export class PlainSocket extends Duplex {
  /** What the gate says, piece by piece. */
  onSaid: (bytes: Buffer) => void = () => {}
  /** True once the gate has said its last word or is gone. */
  isEnded = false
  /** False leaves what the gate says waiting. */
  isReading = true
  readonly #certificate: Buffer
  #waiting: (() => void) | null = null

  constructor(certificate: Buffer) {
    super({ allowHalfOpen: false })
    this.#certificate = certificate
    this.on('error', () => {})
  }

  /** As the gate sees it: the TLS socket and the TCP socket below are one. */
  sockets(): Sockets {
    return { socket: this, tls: this as unknown as TLSSocket, raw: this as unknown as Sockets['raw'] }
  }

  getPeerX509Certificate(): { readonly raw: Buffer } {
    return { raw: this.#certificate }
  }

  getProtocol(): string {
    return 'TLSv1.3'
  }

  resetAndDestroy(): this {
    return this.destroy()
  }

  /** The client sends. */
  say(bytes: Buffer): void {
    if (!this.isEnded && !this.readableEnded && !this.destroyed) this.push(bytes)
  }

  /** The client goes: with a FIN, or by a reset. */
  leave(isOrderly: boolean): void {
    this.#waiting?.()
    this.isReading = true
    if (isOrderly && !this.destroyed) this.push(null)
    else this.destroy()
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.onSaid(chunk)
    if (this.isReading) done()
    else this.#waiting = done
  }

  override _final(done: (error?: Error | null) => void): void {
    this.isEnded = true
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.isEnded = true
    this.#waiting = null
    done(error)
  }
}
