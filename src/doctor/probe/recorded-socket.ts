/** A socket that keeps the first octets that come through it. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

export class RecordedSocket extends Duplex {
  readonly #socket: Socket
  readonly #bytesMax: number
  readonly #parts: Buffer[] = []
  #length = 0

  constructor(socket: Socket, bytesMax: number) {
    super()
    this.#socket = socket
    this.#bytesMax = bytesMax
    socket.on('data', (part: Buffer) => {
      if (this.#length < this.#bytesMax) {
        this.#parts.push(part.subarray(0, this.#bytesMax - this.#length))
        this.#length += part.length
      }
      if (!this.push(part)) socket.pause()
    })
    socket.once('end', () => this.push(null))
    socket.once('error', (error) => this.destroy(error))
    socket.once('close', () => this.destroy())
  }

  /** What has come so far. */
  get received(): Buffer {
    return Buffer.concat(this.#parts)
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(part: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.writable) this.#socket.write(part, encoding, done)
    else done()
  }

  override _final(done: () => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
