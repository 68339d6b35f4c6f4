import { Duplex } from 'node:stream'
import { limits } from '../../../core/limits.ts'
import { brokerLimits } from './broker-limits.ts'
import type { FrameLink } from './link.ts'

type Done = (error?: Error | null) => void

/**
 * One client as the broker sees it. Both directions have credit: the gate is told that it may send more only when the broker
 * takes what has come (`_read`), and nothing leaves for the gate beyond what it has said it will hold.
 */
export class ClientStream extends Duplex {
  readonly #link: FrameLink
  readonly #connection: number
  /** Bytes from the gate that the broker has not taken. */
  #untaken = 0
  /** Bytes that the gate will still hold. */
  #window: number = limits.upstreamCreditBytes
  #waiting: Buffer[] = []
  #waitingDone: Done | null = null
  #closedByGate = false

  constructor(link: FrameLink, connection: number) {
    super({
      // One byte: `_read` is asked when all that has come is taken, not when there is room.
      readableHighWaterMark: 1,
      writableHighWaterMark: brokerLimits.clientWaitingBytesMax,
      allowHalfOpen: false,
    })
    this.#link = link
    this.#connection = connection
  }

  receive(bytes: Buffer): void {
    this.#untaken += bytes.length
    this.push(bytes)
  }

  grant(bytes: number): void {
    this.#window += bytes
    this.#forward()
  }

  /**
   * The gate has closed the connection: for the broker it breaks without a DISCONNECT, once it has taken what came before or
   * its time for that is over.
   */
  breakOff(): void {
    this.#closedByGate = true
    this.#dropWaiting()
    if (this.#untaken === 0) {
      this.destroy()
      return
    }
    this.push(null)
    const timer = setTimeout(() => this.destroy(), brokerLimits.clientDrainMs)
    this.once('close', () => clearTimeout(timer))
  }

  override _read(): void {
    if (this.#untaken === 0 || this.#closedByGate) return
    this.#link.credit(this.#connection, this.#untaken)
    this.#untaken = 0
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#waiting.push(chunk)
    this.#waitingDone = done
    this.#forward()
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    for (const { chunk } of chunks) this.#waiting.push(chunk)
    this.#waitingDone = done
    this.#forward()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#closedByGate) this.#link.close(this.#connection)
    this.#waiting = []
    done(error)
  }

  #forward(): void {
    if (this.#closedByGate) {
      this.#dropWaiting()
      return
    }
    let sent = 0
    for (const chunk of this.#waiting) {
      if (this.#window <= 0) break
      this.#window -= chunk.length
      this.#link.data(this.#connection, chunk)
      sent++
    }
    if (sent < this.#waiting.length) {
      this.#waiting = this.#waiting.slice(sent)
      return
    }
    this.#dropWaiting()
  }

  /** What waits for the gate is sent, or nobody wants it any more. */
  #dropWaiting(): void {
    this.#waiting = []
    const done = this.#waitingDone
    this.#waitingDone = null
    done?.()
  }
}
