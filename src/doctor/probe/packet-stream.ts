/** MQTT packets of a connection, one by one, each waited for a bounded time. */
import type { Duplex } from 'node:stream'
import { limits } from '../../core/limits.ts'
import { PacketSplitter } from '../../core/mqtt/splitter.ts'
import { Violation } from '../../core/mqtt/violation.ts'
import { alertIn } from './handshake.ts'

/** Why no further packet comes. */
export interface StreamEnd {
  readonly kind: 'closed' | 'late' | 'unreadable'
  /** Code of an error of the connection; null where it was closed in order. */
  readonly code: string | null
  /** The alert of TLS that ended it: under TLS 1.3 the answer to a client's certificate comes here. */
  readonly alert: number | null
}

export class PacketStream {
  readonly #stream: Duplex
  readonly #splitter = new PacketSplitter(limits.packetBytesMax)
  readonly #packets: Buffer[] = []
  #start: Buffer = Buffer.alloc(0)
  #end: StreamEnd | null = null
  #waiting: (() => void) | null = null

  constructor(stream: Duplex) {
    this.#stream = stream
    stream.on('data', (bytes: Buffer) => this.#take(bytes))
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#finish({ kind: 'closed', code: error.code ?? error.message, alert: alertIn(error) })
    })
    stream.once('end', () => this.#finish({ kind: 'closed', code: null, alert: null }))
    stream.once('close', () => this.#finish({ kind: 'closed', code: null, alert: null }))
  }

  /** The first octets that came, at most 64. */
  get start(): Buffer {
    return this.#start
  }

  write(packet: Buffer): void {
    if (this.#stream.writable) this.#stream.write(packet)
  }

  close(): void {
    this.#stream.destroy()
  }

  /** @param waitMs none is left where it is 0: what has come since is not handed out, so that nobody who never stops is listened to for ever */
  async next(waitMs: number): Promise<Buffer | StreamEnd> {
    if (waitMs <= 0) return this.#end ?? { kind: 'late', code: null, alert: null }
    if (this.#packets.length === 0 && this.#end === null) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, waitMs)
        this.#waiting = () => {
          clearTimeout(timer)
          done()
        }
      })
      this.#waiting = null
    }
    return this.#packets.shift() ?? this.#end ?? { kind: 'late', code: null, alert: null }
  }

  #take(bytes: Buffer): void {
    if (this.#end !== null) return
    if (this.#start.length < 64) this.#start = Buffer.concat([this.#start, bytes]).subarray(0, 64)
    this.#splitter.feed(bytes)
    for (;;) {
      const packet = this.#splitter.take()
      if (packet === null) break
      if (packet instanceof Violation) {
        this.#finish({ kind: 'unreadable', code: null, alert: null })
        return
      }
      this.#packets.push(packet)
    }
    if (this.#packets.length > 0) this.#waiting?.()
  }

  #finish(end: StreamEnd): void {
    this.#end ??= end
    this.#waiting?.()
  }
}
