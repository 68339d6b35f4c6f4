/**
 * Messages of QoS 2 that the broker has taken and the client has not released. Brokers publish them when they are released, so
 * a right that has gone meanwhile must still be asked for.
 */
import type { PublishHead } from '../core/mqtt/publish.ts'

/** What of a message is judged by the rights alone. */
export type Addressed = Pick<PublishHead, 'topic' | 'retain' | 'responseTopic'>

export class Unreleased {
  readonly #most: number
  readonly #known = new Map<number, Addressed>()
  /** Packet identifiers of messages of which nobody can say what the broker has of them. */
  readonly #unknown = new Set<number>()

  /** @param most messages that are remembered; of those beyond it only the identifier is */
  constructor(most: number) {
    this.#most = most
  }

  begin(packetId: number, { topic, retain, responseTopic }: Addressed): void {
    const known = this.#known.get(packetId)
    if (known !== undefined) {
      // Sent again it is the same. Where it is another one, brokers differ in which of the two they keep.
      const isSame = known.topic === topic && known.retain === retain && known.responseTopic === responseTopic
      if (!isSame) this.#unknown.add(packetId)
    } else if (this.#known.size < this.#most) this.#known.set(packetId, { topic, retain, responseTopic })
    else this.#unknown.add(packetId)
  }

  has(packetId: number): boolean {
    return this.#known.has(packetId) || this.#unknown.has(packetId)
  }

  /** The client has released it, or the broker has refused it. */
  end(packetId: number): void {
    this.#known.delete(packetId)
    this.#unknown.delete(packetId)
  }

  get size(): number {
    return this.#known.size + this.#unknown.size
  }

  /** Whether there are messages that cannot be judged. */
  get hasUnknown(): boolean {
    return this.#unknown.size > 0
  }

  messages(): Iterable<Addressed> {
    return this.#known.values()
  }
}
