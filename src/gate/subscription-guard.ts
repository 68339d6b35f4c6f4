/**
 * The part of the guard that knows subscriptions. A SUBSCRIBE of which only a part is allowed goes to the broker with that
 * part; the broker's SUBACK is completed with the denials before the client sees it.
 */
import { quote } from '../core/errors.ts'
import { type FailureName, toldToClient } from '../core/failure/catalogue.ts'
import { reasonStringOf, withReasonString } from '../core/mqtt/encoding.ts'
import { isShared, type TopicFilter } from '../core/mqtt/filter.ts'
import { reason, subackFailureV3 } from '../core/mqtt/protocol.ts'
import {
  encodeSuback,
  encodeSubscribe,
  parseSuback,
  parseSubscribe,
  parseUnsubscribe,
  type Suback,
  type Subscription,
} from '../core/mqtt/subscribe.ts'
import { protocolError, Violation } from '../core/mqtt/violation.ts'
import type { Rights } from '../core/policy/rights.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import type { GuardedClient, GuardOutlet } from './guard.ts'

/** Why one filter is denied. */
interface Denial {
  readonly code: FailureName
  readonly reasonV5: number
  readonly sentence: string
}

/** The answer that is due for a SUBSCRIBE: a denial's code in its place, null where the broker's belongs. */
interface DueAnswer {
  readonly codes: readonly (number | null)[]
  readonly told: string
}

export class SubscriptionGuard {
  readonly #client: GuardedClient
  readonly #rights: Rights
  readonly #abilities: UpstreamAbilities
  readonly #subscriptionsMax: number
  readonly #outlet: GuardOutlet
  readonly #subscribed = new Set<TopicFilter>()
  /** By packet identifier: what was denied of a SUBSCRIBE that the broker has in part. */
  readonly #due = new Map<number, DueAnswer>()

  constructor(
    client: GuardedClient,
    rights: Rights,
    abilities: UpstreamAbilities,
    subscriptionsMax: number,
    outlet: GuardOutlet,
  ) {
    this.#client = client
    this.#rights = rights
    this.#abilities = abilities
    this.#subscriptionsMax = subscriptionsMax
    this.#outlet = outlet
  }

  subscribe(packet: Buffer): Violation | null {
    const { version } = this.#client
    const asked = parseSubscribe(packet, version)
    if (asked instanceof Violation) return asked
    if (this.#due.has(asked.packetId)) return protocolError('the packet identifier of a SUBSCRIBE is in use')
    const denials = asked.subscriptions.map(({ filter }) => this.#judge(filter))
    const first = denials.find((denial) => denial !== null)
    if (first === undefined) {
      this.#outlet.toBroker(packet)
      return null
    }
    for (const denial of denials) if (denial !== null) this.#outlet.onDenied(denial.code, denial.sentence)
    const due: DueAnswer = {
      codes: denials.map((denial) => (denial === null ? null : this.#codeOf(denial))),
      told: toldToClient(first.code, first.sentence),
    }
    const allowed: readonly Subscription[] = asked.subscriptions.filter((_, i) => denials[i] === null)
    if (allowed.length === 0) {
      this.#outlet.toClient(this.#answer({ packetId: asked.packetId, properties: [], codes: [] }, due))
      return null
    }
    // Every answer that is due takes memory until the broker has answered.
    if (this.#due.size >= this.#subscriptionsMax) return protocolError('too many SUBSCRIBEs wait', reason.quotaExceeded)
    this.#due.set(asked.packetId, due)
    this.#outlet.toBroker(encodeSubscribe(asked, allowed, version))
    return null
  }

  /** Null when the filter is allowed; it counts as subscribed then. */
  #judge(filter: TopicFilter): Denial | null {
    if (!this.#rights.maySubscribe(filter)) {
      const sentence = `the identity may not subscribe to ${quote(filter)}`
      return { code: 'subscribe-denied', reasonV5: reason.notAuthorized, sentence }
    }
    if (isShared(filter) && !this.#abilities.sharedSubscriptions) {
      const sentence = 'the broker behind the gate does not offer shared subscriptions'
      return { code: 'subscribe-denied', reasonV5: reason.sharedSubscriptionsNotSupported, sentence }
    }
    if (this.#subscribed.size >= this.#subscriptionsMax && !this.#subscribed.has(filter)) {
      const sentence = `the session holds ${this.#subscribed.size} subscriptions, as many as it may`
      return { code: 'too-many-subscriptions', reasonV5: reason.quotaExceeded, sentence }
    }
    this.#subscribed.add(filter)
    return null
  }

  #codeOf(denial: Denial): number {
    return this.#client.version === 5 ? denial.reasonV5 : subackFailureV3
  }

  unsubscribe(packet: Buffer): Violation | null {
    const asked = parseUnsubscribe(packet, this.#client.version)
    if (asked instanceof Violation) return asked
    for (const filter of asked.filters) this.#subscribed.delete(filter)
    this.#outlet.toBroker(packet)
    return null
  }

  /** The broker's SUBACK as the client sees it. */
  suback(packet: Buffer): Buffer {
    if (this.#due.size === 0) return packet
    const suback = parseSuback(packet, this.#client.version)
    const due = suback instanceof Violation ? undefined : this.#due.get(suback.packetId)
    if (suback instanceof Violation || due === undefined) return packet
    this.#due.delete(suback.packetId)
    return this.#answer(suback, due)
  }

  /** A SUBACK with the broker's codes in the places that the denials leave open. */
  #answer(suback: Suback, due: DueAnswer): Buffer {
    const { version, wantsReasons, packetBytesMax } = this.#client
    let next = 0
    const codes = due.codes.map((code) => code ?? suback.codes[next++] ?? reason.unspecified)
    return withReasonString(
      (told) => {
        const properties = told === null || suback.properties.length > 0 ? suback.properties : reasonStringOf(told)
        return encodeSuback({ packetId: suback.packetId, properties, codes }, version)
      },
      wantsReasons ? due.told : null,
      packetBytesMax,
    )
  }
}
