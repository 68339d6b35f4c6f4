import { matches, type TopicFilter } from '../../../core/mqtt/filter.ts'
import type { TopicName } from '../../../core/mqtt/topic.ts'
import type { Message } from './aedes-types.ts'
import { brokerLimits } from './broker-limits.ts'
import { ownBytes } from './own-bytes.ts'

/** The last retained message of each topic, within the limits of the broker. */
export class RetainedMessages {
  readonly #messages = new Map<string, Message>()
  #bytes = 0

  /** Keeps, replaces or, when it is empty, removes. What goes beyond the limits is not kept, and a known topic keeps what it had. */
  store(message: Message): void {
    const { topic } = message
    const size = message.payload.length
    const known = this.#messages.get(topic)
    const bytes = this.#bytes - (known?.payload.length ?? 0) + size
    if (size === 0) this.#messages.delete(topic)
    else {
      const { retainedMessagesMax, retainedBytesMax } = brokerLimits
      if (known === undefined && this.#messages.size >= retainedMessagesMax) return
      if (bytes > retainedBytesMax) return
      this.#messages.set(topic, { ...message, payload: ownBytes(message.payload) })
    }
    this.#bytes = bytes
  }

  /** The messages that each filter matches, filter by filter. */
  *matching(filters: readonly string[]): Generator<Message> {
    for (const filter of filters) {
      const wildAt = filter.search(/[+#]/)
      if (wildAt < 0) {
        const message = this.#messages.get(filter)
        if (message !== undefined) yield message
        continue
      }
      // Without the separator, because "a/#" matches "a" too.
      const start = filter.slice(0, Math.max(0, wildAt - 1))
      for (const [topic, message] of this.#messages) {
        if (topic.startsWith(start) && matches(filter as TopicFilter, topic as TopicName)) yield message
      }
    }
  }
}
