import { matches, type TopicFilter } from '../../../core/mqtt/filter.ts'
import type { TopicName } from '../../../core/mqtt/topic.ts'
import type { Message } from './aedes-types.ts'
import { brokerLimits } from './broker-limits.ts'
import { Budget, heldBytes, identityOf } from './budget.ts'
import { ownBytes } from './own-bytes.ts'

interface Retained {
  readonly message: Message
  /** Who published it, and how much of that identity's share it takes. */
  readonly identity: string
  readonly bytes: number
}

/** The last retained message of each topic, within the limits of the broker and of who published it. */
export class RetainedMessages {
  readonly #byTopic = new Map<string, Retained>()
  readonly #counts = new Map<string, number>()
  readonly #budget = new Budget({
    bytesMax: brokerLimits.retainedBytesMax,
    identityBytesMax: brokerLimits.retainedBytesPerIdentityMax,
  })

  /** Keeps, replaces or, when it is empty, removes. What goes beyond the limits is not kept, and a known topic keeps what it had. */
  store(message: Message): void {
    const { topic } = message
    const known = this.#byTopic.get(topic)
    if (known !== undefined) this.#remove(topic, known)
    if (message.payload.length === 0) return
    const kept = this.#keep(message)
    if (!kept && known !== undefined) this.#put(topic, known)
  }

  #keep(message: Message): boolean {
    const identity = identityOf(message.clientId ?? '')
    const { retainedMessagesMax, retainedPerIdentityMax } = brokerLimits
    if (this.#byTopic.size >= retainedMessagesMax) return false
    if ((this.#counts.get(identity) ?? 0) >= retainedPerIdentityMax) return false
    const copy = { ...message, payload: ownBytes(message.payload) }
    return this.#put(message.topic, { message: copy, identity, bytes: heldBytes(message) })
  }

  #put(topic: string, retained: Retained): boolean {
    const { identity, bytes } = retained
    if (!this.#budget.take(identity, bytes)) return false
    this.#byTopic.set(topic, retained)
    this.#counts.set(identity, (this.#counts.get(identity) ?? 0) + 1)
    return true
  }

  #remove(topic: string, { identity, bytes }: Retained): void {
    this.#byTopic.delete(topic)
    this.#budget.giveBack(identity, bytes)
    const count = (this.#counts.get(identity) ?? 0) - 1
    if (count > 0) this.#counts.set(identity, count)
    else this.#counts.delete(identity)
  }

  /** The messages that each filter matches, filter by filter. */
  *matching(filters: readonly string[]): Generator<Message> {
    for (const filter of filters) {
      const wildAt = filter.search(/[+#]/)
      if (wildAt < 0) {
        const retained = this.#byTopic.get(filter)
        if (retained !== undefined) yield retained.message
        continue
      }
      // Without the separator, because "a/#" matches "a" too.
      const start = filter.slice(0, Math.max(0, wildAt - 1))
      for (const [topic, { message }] of this.#byTopic) {
        if (topic.startsWith(start) && matches(filter as TopicFilter, topic as TopicName)) yield message
      }
    }
  }
}
