/** Topic aliases of one sender on one connection (MQTT 5 §3.3.2.3.4): numbers that it says in place of topics. */
import { reason } from './protocol.ts'
import type { TopicName } from './topic.ts'
import { protocolError, type Violation } from './violation.ts'

export class TopicAliases {
  readonly #most: number
  #topics: Map<number, TopicName> | null = null

  /** @param most Topic Alias Maximum as it was told to the sender; 0 where it may use none */
  constructor(most: number) {
    this.#most = most
  }

  /**
   * The topic that a PUBLISH means. Where it names one, the alias stands for that from now on, whether or not the message may
   * go on (MQTT-3.3.2-12).
   *
   * @param topic null where the PUBLISH names none
   */
  resolve(alias: number, topic: TopicName | null): TopicName | Violation {
    if (alias > this.#most) {
      const offer = this.#most === 0 ? 'none was offered' : `at most ${this.#most} was offered`
      return protocolError(`the PUBLISH uses the topic alias ${alias}, and ${offer}`, reason.topicAliasInvalid)
    }
    if (topic !== null) {
      this.#topics ??= new Map()
      this.#topics.set(alias, topic)
      return topic
    }
    return this.#topics?.get(alias) ?? protocolError(`the topic alias ${alias} stands for no topic yet`)
  }
}

/** For a sender that may use none. */
export const noTopicAliases: TopicAliases = new TopicAliases(0)
