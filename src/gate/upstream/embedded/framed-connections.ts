/** The gate's end of connections that share one way to the broker. Each has credit in both directions. */
import { limits } from '../../../core/limits.ts'
import type { UpstreamConnection, UpstreamListener } from '../../../hub/ports/upstream.ts'
import type { FrameReader } from './frames.ts'
import type { FrameLink } from './link.ts'

const connectionNumberMax = 0xffff_ffff

export class FramedConnections {
  readonly #connections = new Map<number, Connection>()
  #lastNumber = 0

  open(link: FrameLink, listener: UpstreamListener): UpstreamConnection {
    do {
      this.#lastNumber = this.#lastNumber === connectionNumberMax ? 1 : this.#lastNumber + 1
    } while (this.#connections.has(this.#lastNumber))
    const number = this.#lastNumber
    const connection = new Connection(link, number, listener, () => this.#connections.delete(number))
    this.#connections.set(number, connection)
    return connection
  }

  /** What comes from the broker. */
  readonly reader: FrameReader = {
    onOpen: () => {},
    onData: (number, bytes) => this.#connections.get(number)?.receive(bytes),
    onCredit: (number, bytes) => this.#connections.get(number)?.taken(bytes),
    onClose: (number, broken) => this.#connections.get(number)?.end(broken),
  }

  endAll(broken: boolean): void {
    for (const connection of [...this.#connections.values()]) connection.end(broken)
  }
}

class Connection implements UpstreamConnection {
  readonly #link: FrameLink
  readonly #number: number
  readonly #listener: UpstreamListener
  readonly #forget: () => void
  /** Bytes sent that the broker has not taken. */
  #untaken = 0
  #mustWait = false
  /** Bytes delivered that the broker has not been given credit for. */
  #uncredited = 0
  #paused = false
  #ended = false

  constructor(link: FrameLink, number: number, listener: UpstreamListener, forget: () => void) {
    this.#link = link
    this.#number = number
    this.#listener = listener
    this.#forget = forget
    link.open(number)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#ended) return true
    this.#link.data(this.#number, bytes)
    this.#untaken += bytes.length
    this.#mustWait = this.#untaken >= limits.upstreamCreditBytes
    return !this.#mustWait
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#giveCredit(1)
  }

  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#forget()
    this.#link.close(this.#number)
  }

  /** Bytes from the broker. A client that is paused still gets them, at most one credit's worth. */
  receive(bytes: Buffer): void {
    if (this.#ended) return
    this.#uncredited += bytes.length
    this.#listener.onData(bytes)
    if (!this.#paused) this.#giveCredit(limits.upstreamCreditBytes / 4)
  }

  /** The broker has taken so many bytes. */
  taken(bytes: number): void {
    if (this.#ended) return
    this.#untaken -= bytes
    if (!this.#mustWait || this.#untaken > limits.upstreamCreditBytes / 2) return
    this.#mustWait = false
    this.#listener.onDrain()
  }

  end(broken: boolean): void {
    if (this.#ended) return
    this.#ended = true
    this.#forget()
    this.#listener.onClose(broken)
  }

  /** Small debts wait, so that not every packet costs a frame back; the broker has the rest of the credit meanwhile. */
  #giveCredit(bytesMin: number): void {
    if (this.#ended || this.#uncredited < bytesMin) return
    this.#link.credit(this.#number, this.#uncredited)
    this.#uncredited = 0
  }
}
