/** Rights that decide, with others beside them that are asked the same and only listened to. */
import type { TopicFilter } from '../mqtt/filter.ts'
import type { TopicName } from '../mqtt/topic.ts'
import type { Action, Decision, Rights, RightsLimits } from './rights.ts'

/** @param allowed what was decided; the shadow says the contrary */
type OnDifference = (action: Action, topic: string, allowed: boolean) => void

export class ShadowedRights implements Rights {
  readonly limits: RightsLimits
  readonly changesAtMs: number | null
  readonly #rights: Rights
  readonly #shadow: Rights
  readonly #onDifference: OnDifference

  constructor(rights: Rights, shadow: Rights, onDifference: OnDifference) {
    this.#rights = rights
    this.#shadow = shadow
    this.#onDifference = onDifference
    this.limits = rights.limits
    this.changesAtMs = earlier(rights.changesAtMs, shadow.changesAtMs)
  }

  get clientIdFault(): string | null {
    return this.#rights.clientIdFault
  }

  mayConnect(): boolean {
    return this.#told('connect', '', this.#rights.mayConnect(), this.#shadow.mayConnect())
  }

  mayPublish(topic: TopicName): boolean {
    return this.#told('publish', topic, this.#rights.mayPublish(topic), this.#shadow.mayPublish(topic))
  }

  mayRetain(topic: TopicName): boolean {
    return this.#told('retain', topic, this.#rights.mayRetain(topic), this.#shadow.mayRetain(topic))
  }

  mayLeaveWill(topic: TopicName): boolean {
    return this.#told('will', topic, this.#rights.mayLeaveWill(topic), this.#shadow.mayLeaveWill(topic))
  }

  maySubscribe(filter: TopicFilter): boolean {
    return this.#told('subscribe', filter, this.#rights.maySubscribe(filter), this.#shadow.maySubscribe(filter))
  }

  mayReceive(topic: TopicName): boolean {
    return this.#told('receive', topic, this.#rights.mayReceive(topic), this.#shadow.mayReceive(topic))
  }

  explain(action: Action, topic: string): Decision {
    return this.#rights.explain(action, topic)
  }

  #told(action: Action, topic: string, allowed: boolean, other: boolean): boolean {
    if (allowed !== other) this.#onDifference(action, topic, allowed)
    return allowed
  }
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}
