import { FrameBatch, type FrameKind, frameKinds } from './frames.ts'

/** What a thread posts its messages to, or the writing end of a socket between processes. */
export interface FramePort {
  postMessage(message: ArrayBuffer, transfer: readonly ArrayBuffer[]): void
}

/** The sending end: what one turn of the event loop brings leaves as one message at its end. */
export class FrameLink {
  readonly #port: FramePort
  readonly #batch = new FrameBatch()
  #cut = false

  constructor(port: FramePort) {
    this.#port = port
  }

  data(connection: number, bytes: Uint8Array): void {
    this.#schedule()
    this.#batch.addData(connection, bytes)
  }

  open(connection: number): void {
    this.#sign(connection, frameKinds.open)
  }

  credit(connection: number, bytes: number): void {
    this.#sign(connection, frameKinds.credit, bytes)
  }

  close(connection: number, broken = false): void {
    this.#sign(connection, frameKinds.close, broken ? 1 : 0)
  }

  /** Sends nothing any more. */
  cut(): void {
    this.#cut = true
  }

  #sign(connection: number, kind: Exclude<FrameKind, 2>, value = 0): void {
    this.#schedule()
    this.#batch.addSign(connection, kind, value)
  }

  #schedule(): void {
    if (this.#batch.isEmpty) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const buffer = this.#batch.take()
    if (!this.#cut && buffer.byteLength > 0) this.#port.postMessage(buffer, [buffer])
  }
}
