/**
 * The part of the guard that knows subscriptions. Of a SUBSCRIBE the broker gets what is allowed, and each filter once; its
 * SUBACK is completed before the client sees it, so that it has one code for each filter (MQTT-3.8.4-5).
 */
import { quote } from '../core/errors.ts'
import { type FailureName, toldToClient } from '../core/failure/catalogue.ts'
import { limits } from '../core/limits.ts'
import { reasonStringOf, withReasonString } from '../core/mqtt/encoding.ts'
import { isShared, type TopicFilter } from '../core/mqtt/filter.ts'
import { reason, subackFailureV3 } from '../core/mqtt/protocol.ts'
import {
  encodeSuback,
  encodeSubscribe,
  encodeUnsubscribe,
  parseSuback,
  parseSubscribe,
  parseUnsubscribe,
  type Suback,
  type Subscription,
  unsubackId,
} from '../core/mqtt/subscribe.ts'
import type { TopicName } from '../core/mqtt/topic.ts'
import { protocolError, Violation } from '../core/mqtt/violation.ts'
import type { Rights } from '../core/policy/rights.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import type { GuardedClient, GuardOutlet } from './guard.ts'
import { topicUnsupported } from './topic-support.ts'

/** Why one filter is denied. */
interface Denial {
  readonly code: FailureName
  readonly reasonV5: number
  readonly sentence: string
}

/** The answer that is due for a SUBSCRIBE. */
interface DueAnswer {
  readonly asked: readonly Subscription[]
  /** By filter of the SUBSCRIBE: a denial's code, or null where the broker's belongs. */
  readonly denials: readonly (number | null)[]
  /** What the broker has of it. */
  readonly forwarded: readonly Subscription[]
  /** Whether that is just what was asked for. */
  readonly isWhole: boolean
  /** Filters that were not subscribed before. */
  readonly added: ReadonlySet<TopicFilter>
  readonly told: string | null
}

export class SubscriptionGuard {
  readonly #client: GuardedClient
  #rights: Rights
  readonly #abilities: UpstreamAbilities
  readonly #subscriptionsMax: number
  readonly #outlet: GuardOutlet
  readonly #subscribed = new Set<TopicFilter>()
  /** By packet identifier: the SUBSCRIBEs that the broker has not answered. */
  readonly #due = new Map<number, DueAnswer>()
  /** By packet identifier: what UNSUBSCRIBEs of the client end that the broker has not answered. */
  readonly #unsubscribes = new Map<number, readonly TopicFilter[]>()
  /** The same of UNSUBSCRIBEs of the gate's own. */
  readonly #ownUnsubscribes = new Map<number, readonly TopicFilter[]>()
  /** The broker may hold messages that came by a filter which is not allowed, or hold such a filter. */
  #isDoubtful = false

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

  /**
   * The broker has kept a session.
   *
   * @param known the filters that it had when this gate last saw it; another gate may have seen it since
   */
  resume(known: readonly TopicFilter[]): void {
    this.#isDoubtful = true
    for (const filter of known) this.#subscribed.add(filter)
  }

  /** Filters that the broker holds, or may hold: those count too whose end it has not confirmed. */
  filters(): readonly TopicFilter[] {
    return [
      ...new Set(
        [this.#subscribed, ...this.#unsubscribes.values(), ...this.#ownUnsubscribes.values()].flatMap((each) => [
          ...each,
        ]),
      ),
    ]
  }

  /**
   * Whether a filter that is allowed may have brought a message. Where all that a filter can match is allowed each topic is, so
   * a topic that may not be subscribed to came by a filter that is not.
   */
  mayHaveBrought(topic: TopicName): boolean {
    return !this.#isDoubtful || this.#rights.maySubscribe(topic as string as TopicFilter)
  }

  /**
   * From now on these are the rights. What they do not allow any more is unsubscribed; MQTT has no word to tell the client.
   *
   * @param isPublishing whether a packet identifier stands for a message of the client that is on its way
   */
  setRights(rights: Rights, isPublishing: (packetId: number) => boolean): void {
    this.#rights = rights
    const lost = [...this.#subscribed].filter((filter) => !rights.maySubscribe(filter))
    for (let start = 0; start < lost.length; start += limits.filtersPerPacketMax) {
      const filters = lost.slice(start, start + limits.filtersPerPacketMax)
      const packetId = this.#freePacketId(isPublishing)
      this.#ownUnsubscribes.set(packetId, filters)
      this.#outlet.toBroker(encodeUnsubscribe({ packetId, filters }, this.#client.version))
    }
    for (const filter of lost) this.#subscribed.delete(filter)
    const [first] = lost
    if (first === undefined) return
    this.#isDoubtful = true
    const { because } = rights.explain('subscribe', first)
    const others = lost.length === 1 ? '' : ` and ${lost.length - 1} more`
    this.#outlet.onDenied('subscribe-denied', `the subscription to ${quote(first)}${others} has ended: ${because}`)
  }

  /** From the end that clients reach last, and not one that waits for an answer (MQTT-2.2.1-3). */
  #freePacketId(isPublishing: (packetId: number) => boolean): number {
    for (let packetId = 0xffff; packetId > 0; packetId--) {
      if (this.#ownUnsubscribes.has(packetId) || this.#unsubscribes.has(packetId)) continue
      if (!this.#due.has(packetId) && !isPublishing(packetId)) return packetId
    }
    // A client that has all of them in use breaks nothing but its own session.
    return 0xffff
  }

  /** Takes note of the broker's UNSUBACK. True where it answers the gate: the client has not asked for it. */
  unsuback(packet: Buffer): boolean {
    const packetId = unsubackId(packet)
    if (packetId === null) return false
    if (this.#ownUnsubscribes.delete(packetId)) return true
    this.#unsubscribes.delete(packetId)
    return false
  }

  subscribe(packet: Buffer): Violation | null {
    const { version } = this.#client
    const asked = parseSubscribe(packet, version)
    if (asked instanceof Violation) return asked
    if (this.#due.has(asked.packetId)) return protocolError('the packet identifier of a SUBSCRIBE is in use')
    const due = this.#dueFor(asked.subscriptions)
    if (due.forwarded.length === 0) {
      this.#outlet.toClient(this.#answer({ packetId: asked.packetId, properties: [], codes: [] }, due))
      return null
    }
    // Every answer that is due takes memory until the broker has answered.
    if (this.#due.size >= this.#subscriptionsMax) return protocolError('too many SUBSCRIBEs wait', reason.quotaExceeded)
    this.#due.set(asked.packetId, due)
    this.#outlet.toBroker(due.isWhole ? packet : encodeSubscribe(asked, due.forwarded, version))
    return null
  }

  #dueFor(asked: readonly Subscription[]): DueAnswer {
    const added = new Set<TopicFilter>()
    const allowed = new Map<TopicFilter, Subscription>()
    let first: Denial | null = null
    const denials = asked.map((subscription) => {
      const { filter } = subscription
      const isNew = !this.#subscribed.has(filter)
      const denial = this.#judge(filter)
      if (denial !== null) {
        first ??= denial
        this.#outlet.onDenied(denial.code, denial.sentence)
        return this.#codeOf(denial)
      }
      if (isNew) added.add(filter)
      // The last one counts, as if each filter had come in a packet of its own (MQTT-3.8.4-5).
      allowed.delete(filter)
      allowed.set(filter, this.#lowered(subscription))
      return null
    })
    const told = first === null ? null : toldOf(first)
    const forwarded = [...allowed.values()]
    const isWhole = forwarded.length === asked.length && forwarded.every((each, i) => each === asked[i])
    return { asked, denials, forwarded, isWhole, added, told }
  }

  /** A server may grant less than was asked for (MQTT-3.8.4-6): no more than the policy allows. */
  #lowered(subscription: Subscription): Subscription {
    const { qosMax } = this.#rights.limits
    if (qosMax === null || subscription.qos <= qosMax) return subscription
    return { ...subscription, qos: qosMax, options: (subscription.options & ~3) | qosMax }
  }

  /** Null when the filter is allowed; it counts as subscribed then. */
  #judge(filter: TopicFilter): Denial | null {
    if (!this.#rights.maySubscribe(filter)) {
      const { because } = this.#rights.explain('subscribe', filter)
      const sentence = `the identity may not subscribe to ${quote(filter)}: ${because}`
      return { code: 'subscribe-denied', reasonV5: reason.notAuthorized, sentence }
    }
    const unsupported = topicUnsupported(filter, this.#abilities, reason.filterInvalid)
    if (unsupported !== null) return unsupported
    if (isShared(filter) && !this.#abilities.sharedSubscriptions) {
      const sentence = 'the broker behind the gate does not offer shared subscriptions'
      return { code: 'subscribe-denied', reasonV5: reason.sharedSubscriptionsNotSupported, sentence }
    }
    const most = Math.min(this.#subscriptionsMax, this.#rights.limits.subscriptionsMax ?? Number.POSITIVE_INFINITY)
    if (this.#subscribed.size >= most && !this.#subscribed.has(filter)) {
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
    const ended = asked.filters.filter((filter) => this.#subscribed.delete(filter))
    this.#unsubscribes.set(asked.packetId, ended)
    this.#outlet.toBroker(packet)
    return null
  }

  /** The broker's SUBACK as the client sees it, or what is wrong with it. */
  suback(packet: Buffer): Buffer | Violation {
    const suback = parseSuback(packet, this.#client.version)
    if (suback instanceof Violation) return suback
    const due = this.#due.get(suback.packetId)
    if (due === undefined) return protocolError('a packet identifier stands that no SUBSCRIBE waits for')
    this.#due.delete(suback.packetId)
    for (const [i, { filter }] of due.forwarded.entries()) {
      if (isRefusal(suback.codes[i]) && due.added.has(filter)) this.#subscribed.delete(filter)
    }
    const isWhole = due.forwarded.length === due.asked.length && suback.codes.length === due.asked.length
    return isWhole ? packet : this.#answer(suback, due)
  }

  /** A SUBACK with the broker's codes in the places that the denials leave open. */
  #answer(suback: Suback, due: DueAnswer): Buffer {
    const { version, wantsReasons, packetBytesMax } = this.#client
    const byFilter = new Map(due.forwarded.map(({ filter }, i) => [filter, suback.codes[i] ?? reason.unspecified]))
    const codes = due.asked.map(({ filter, qos }, i) => {
      const code = due.denials[i] ?? byFilter.get(filter) ?? reason.unspecified
      // Where a filter stands twice, what is granted in the end may be more than was asked for in this place.
      return isRefusal(code) ? code : Math.min(code, qos)
    })
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

function toldOf({ code, sentence }: Denial): string {
  return toldToClient(code, sentence)
}

function isRefusal(code: number | undefined): boolean {
  return code === undefined || code >= 0x80
}
