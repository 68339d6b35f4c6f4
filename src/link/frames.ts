/**
 * Messages on the control connection of a gate link: [length u32, big endian][JSON in UTF-8], one after the other. The length is
 * believed up to `linkLimits.messageBytesMax`, so that nobody at the other end decides how much memory this one takes.
 */
import { HubError } from '../core/errors.ts'
import { linkLimits } from './limits.ts'

const headBytes = 4

/** One message as it travels. */
export function encodeFrame(message: object): Buffer {
  const text = JSON.stringify(message)
  const bytes = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(headBytes + bytes)
  frame.writeUInt32BE(bytes, 0)
  frame.write(text, headBytes, 'utf8')
  return frame
}

/** Puts together what a connection brings in pieces. */
export class FrameReader {
  #parts: Buffer[] = []
  #bytes = 0
  /** Bytes from the beginning of the first part to the end of the next message; the head alone while its length is not known. */
  #wanted = headBytes

  /**
   * Takes the next piece.
   *
   * @returns the messages that are whole by it, in their order; what they say nobody has looked at
   * @throws HubError `gate-link-malformed`; nothing that follows can be understood then
   */
  push(piece: Buffer): readonly unknown[] {
    this.#parts.push(piece)
    this.#bytes += piece.length
    const messages: unknown[] = []
    while (this.#bytes >= this.#wanted) {
      const bytes = this.#joined()
      const length = bytes.readUInt32BE(0)
      if (length > linkLimits.messageBytesMax) {
        throw malformed(`a message of ${length} bytes; ${linkLimits.messageBytesMax} are the most`)
      }
      this.#wanted = headBytes + length
      if (bytes.length < this.#wanted) break
      messages.push(parsed(bytes.toString('utf8', headBytes, this.#wanted)))
      this.#keep(bytes.subarray(this.#wanted))
    }
    return messages
  }

  #joined(): Buffer {
    const [first] = this.#parts
    const joined = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts)
    this.#parts = [joined]
    return joined
  }

  #keep(rest: Buffer): void {
    this.#parts = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    this.#wanted = headBytes
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('a message that is not JSON')
  }
}

function malformed(what: string): HubError {
  return new HubError('gate-link-malformed', `the other end of the gate link sent ${what}`)
}
