/**
 * The messages of QoS 1 and 2 of a client that wait for their end. A client of MQTT 5 is told how many there may be and has to
 * count itself (MQTT-3.3.4-9); before it, packet identifiers are the only bound.
 */
import { reason } from '../core/mqtt/protocol.ts'
import { protocolError, type Violation } from '../core/mqtt/violation.ts'

export class InFlight {
  readonly #most: number
  readonly #waiting = new Set<number>()

  /** @param most the Receive Maximum that the client was told; infinite where there is none */
  constructor(most: number) {
    this.#most = most
  }

  /** A message is on its way; one that is sent again counts once. */
  begin(packetId: number): Violation | null {
    if (this.#waiting.size >= this.#most && !this.#waiting.has(packetId)) {
      const sentence = `more than ${this.#most} messages wait for their acknowledgement, which is the Receive Maximum`
      return protocolError(sentence, reason.receiveMaximumExceeded)
    }
    this.#waiting.add(packetId)
    return null
  }

  /** Whether a message with this identifier waits. */
  has(packetId: number): boolean {
    return this.#waiting.has(packetId)
  }

  /** It was acknowledged for good. */
  end(packetId: number): void {
    this.#waiting.delete(packetId)
  }
}
