/**
 * Packets on their way out. Packets that lie side by side in memory, as they do when they came in one chunk, leave as one
 * piece without a copy.
 */
export class PacketRun {
  readonly #send: (bytes: Buffer) => void
  #memory: ArrayBufferLike | null = null
  #start = 0
  #end = 0

  constructor(send: (bytes: Buffer) => void) {
    this.#send = send
  }

  add(packet: Buffer): void {
    if (packet.buffer !== this.#memory || packet.byteOffset !== this.#end) {
      this.flush()
      this.#memory = packet.buffer
      this.#start = packet.byteOffset
    }
    this.#end = packet.byteOffset + packet.length
  }

  flush(): void {
    if (this.#memory === null) return
    const bytes = Buffer.from(this.#memory, this.#start, this.#end - this.#start)
    this.#memory = null
    this.#send(bytes)
  }
}
