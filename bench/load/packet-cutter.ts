/** Cuts what a server sends into packets. It believes lengths: these servers are known. */
export class PacketCutter {
  #rest: Buffer = Buffer.alloc(0)

  cut(chunk: Buffer): readonly Buffer[] {
    const packets: Buffer[] = []
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (let end = packetEnd(bytes, at); end !== null; end = packetEnd(bytes, at)) {
      packets.push(bytes.subarray(at, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
    return packets
  }
}

/** Where the packet at `at` ends, or null when it is not there as a whole. */
function packetEnd(bytes: Buffer, at: number): number | null {
  let length = 0
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return null
    length += (byte & 0x7f) * 128 ** (i - 1)
    if (byte < 0x80) {
      const end = at + 1 + i + length
      return end <= bytes.length ? end : null
    }
  }
  throw new Error('a length of more than four bytes')
}
