/**
 * The guard: every packet, both ways, passes it. What a client may not do does not reach the broker; what it may not read
 * or cannot take does not reach the client. It holds no socket and can be tried without one.
 */
import { type FailureName, toldToClient } from '../core/failure/catalogue.ts'
import {
  type AcknowledgementType,
  encodeAcknowledgement,
  parseAcknowledgement,
  readAcknowledgement,
} from '../core/mqtt/acknowledgement.ts'
import { emptyPacketRefusal, parseDisconnect } from '../core/mqtt/disconnect.ts'
import { withReasonString } from '../core/mqtt/encoding.ts'
import { type ProtocolVersion, packetNames, packetType, reason, typeOf } from '../core/mqtt/protocol.ts'
import { type PublishHead, scanPublish, withAddedProperties, withProperties } from '../core/mqtt/publish.ts'
import { TopicAliases } from '../core/mqtt/topic-aliases.ts'
import { protocolError, Violation } from '../core/mqtt/violation.ts'
import type { Rights } from '../core/policy/rights.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import { InFlight } from './in-flight.ts'
import type { KeptSession } from './kept-sessions.ts'
import type { Ending, GateLimits } from './options.ts'
import { Pace } from './pace.ts'
import { measureDenial, type PublishDenial, topicDenial, unreleasedDenial } from './publish-judgement.ts'
import { SubscriptionGuard } from './subscription-guard.ts'
import { topicUnsupported } from './topic-support.ts'
import { Unreleased } from './unreleased.ts'

export interface GuardedClient {
  readonly version: ProtocolVersion
  /** Whether acknowledgements may carry a Reason String. */
  readonly wantsReasons: boolean
  /** Longest packet that the client accepts, in bytes. */
  readonly packetBytesMax: number
  /** How long it asked at its start for its session to be kept. */
  readonly sessionExpirySec: number
}

/** Where packets go, and who hears of denials. */
export interface GuardOutlet {
  toBroker(packet: Buffer): void
  toClient(packet: Buffer): void
  onDenied(code: FailureName, sentence: string): void
}

/** What a packet of the client means for the session: nothing further, its good end, or a bad one. */
export type ClientVerdict = null | 'disconnected' | Ending

/** What a client of MQTT 3.1.1 meets that publishes where it may not: the specification knows no other (MQTT-3.3.5-2). */
export type DeniedPublishV3 = 'close' | 'acknowledge'

export interface GuardRules {
  readonly abilities: UpstreamAbilities
  readonly limits: Pick<GateLimits, 'packetBytesMax' | 'subscriptionsPerSessionMax' | 'topicAliasesMax'>
  /** The Receive Maximum that a client of MQTT 5 was told. */
  readonly receiveMaximum: number
  readonly deniedPublishV3: DeniedPublishV3
  /** Properties that each message of a client of MQTT 5 gets on its way to the broker, as bytes; null for none. */
  readonly added: Buffer | null
}

export class Guard {
  readonly #client: GuardedClient
  #rights: Rights
  readonly #abilities: UpstreamAbilities
  readonly #deniedPublishV3: DeniedPublishV3
  readonly #packetBytesMax: number
  readonly #added: Buffer | null
  readonly #aliases: TopicAliases
  readonly #inFlight: InFlight
  readonly #outlet: GuardOutlet
  readonly #subscriptions: SubscriptionGuard
  /** Packet identifiers of QoS 2 messages that were withheld from the client and are not released yet. */
  readonly #withheld = new Set<number>()
  /** Packet identifiers of QoS 2 messages of the client that were denied in silence and are not released yet. */
  readonly #swallowed = new Set<number>()
  #unreleased: Unreleased
  readonly #pace = new Pace()
  /** The client has said DISCONNECT and wants its will to be sent all the same (MQTT-3.14.4-3). */
  leavesWill = false
  /** The session expiry that its DISCONNECT has set, or null. */
  lastExpirySec: number | null = null

  constructor(client: GuardedClient, rights: Rights, rules: GuardRules, outlet: GuardOutlet) {
    const { abilities, limits, receiveMaximum, deniedPublishV3, added } = rules
    this.#client = client
    this.#rights = rights
    this.#abilities = abilities
    this.#deniedPublishV3 = deniedPublishV3
    this.#added = client.version === 5 ? added : null
    this.#packetBytesMax = limits.packetBytesMax
    this.#aliases = new TopicAliases(limits.topicAliasesMax)
    this.#inFlight = new InFlight(client.version === 5 ? receiveMaximum : Number.POSITIVE_INFINITY)
    this.#unreleased = new Unreleased(receiveMaximum)
    this.#outlet = outlet
    this.#subscriptions = new SubscriptionGuard(client, rights, abilities, limits.subscriptionsPerSessionMax, outlet)
  }

  /**
   * The broker has kept the session of an earlier connection. Filters of it that are not allowed any more end, and their messages
   * that wait reach nobody.
   *
   * @param kept what this gate remembers of it, or null
   */
  resume(kept: KeptSession | null): void {
    if (kept !== null) this.#unreleased = kept.unreleased
    this.#subscriptions.resume(kept?.filters ?? [])
    this.#subscriptions.setRights(this.#rights, (packetId) => this.#isInUse(packetId))
  }

  /** What is to be remembered of the session while the client is away. */
  get kept(): KeptSession {
    return { filters: this.#subscriptions.filters(), unreleased: this.#unreleased }
  }

  /**
   * From now on these are the rights. Subscriptions that they do not allow end. Where a message waits for its release that they do
   * not allow, the session has to: there is no word to the broker that takes back one message.
   */
  setRights(rights: Rights): Ending | null {
    this.#rights = rights
    const denial = unreleasedDenial(this.#unreleased, rights)
    if (denial === null) this.#subscriptions.setRights(rights, (packetId) => this.#isInUse(packetId))
    return denial
  }

  #isInUse(packetId: number): boolean {
    return this.#inFlight.has(packetId) || this.#unreleased.has(packetId)
  }

  /** For how long no more should be read from the client, so that it keeps to its rate; in milliseconds. */
  holdBackMs(nowMs: () => number): number {
    const rate = this.#rights.limits.publishesPerSecondMax
    return rate === null ? 0 : this.#pace.debtMs(rate, nowMs())
  }

  /** Judges one whole packet of the client and passes on what may pass. */
  fromClient(packet: Buffer): ClientVerdict {
    const type = typeOf(packet)
    switch (type) {
      case packetType.publish:
        return this.#publish(packet)
      case packetType.pubrel:
        return this.#releaseOfClient(packet)
      case packetType.puback:
      case packetType.pubrec:
      case packetType.pubcomp:
        return this.#passUnless(packet, parseAcknowledgement(packet, this.#client.version))
      case packetType.pingreq:
        return this.#passUnless(packet, emptyPacketRefusal(packet))
      case packetType.subscribe:
        return this.#subscriptions.subscribe(packet)
      case packetType.unsubscribe:
        return this.#subscriptions.unsubscribe(packet)
      case packetType.disconnect:
        return this.#disconnect(packet)
      default:
        return protocolError(`a client may not send ${packetNames[type]} in a session`)
    }
  }

  #passUnless(packet: Buffer, parsed: unknown): Violation | null {
    if (parsed instanceof Violation) return parsed
    this.#outlet.toBroker(packet)
    return null
  }

  /** A session that was to end with its connection cannot be kept after all (MQTT-3.14.2-2 and the text before it). */
  #disconnect(packet: Buffer): ClientVerdict {
    const { version, sessionExpirySec } = this.#client
    const parsed = parseDisconnect(packet, version)
    if (!(parsed instanceof Violation) && sessionExpirySec === 0 && (parsed.sessionExpirySec ?? 0) > 0) {
      return protocolError('the DISCONNECT asks for a session to be kept that the CONNECT let end with the connection')
    }
    if (!(parsed instanceof Violation)) {
      this.leavesWill = parsed.reasonCode !== reason.success
      this.lastExpirySec = parsed.sessionExpirySec
    }
    return this.#passUnless(packet, parsed) ?? 'disconnected'
  }

  #publish(packet: Buffer): ClientVerdict {
    const head = scanPublish(packet, this.#client.version, 'client', this.#aliases)
    if (head instanceof Violation) return head
    if (head.qos > this.#abilities.qosMax) {
      return protocolError(`QoS ${head.qos} is not offered here`, reason.qosNotSupported)
    }
    if (head.retain && !this.#abilities.retain) {
      return protocolError('retained messages are not offered here', reason.retainNotSupported)
    }
    if (this.#rights.limits.publishesPerSecondMax !== null) this.#pace.count()
    const denial =
      this.#denialOf(head, packet.length - head.payloadOffset) ??
      topicUnsupported(head.topic, this.#abilities, reason.topicInvalid)
    if (denial !== null) return this.#denyPublish(head, denial)
    if (head.qos > 0) {
      const excess = this.#inFlight.begin(head.packetId)
      if (excess !== null) return excess
      // The identifier means another message now: its release is for the broker.
      this.#swallowed.delete(head.packetId)
    }
    if (head.qos === 2) this.#unreleased.begin(head.packetId, head)
    return this.#passChanged(packet, head)
  }

  /** The broker was offered no alias: it gets the topic in full. And it reads of nobody but the gate who the sender is. */
  #passChanged(packet: Buffer, head: PublishHead): Violation | null {
    let whole = packet
    if (head.changed !== null) whole = withProperties(packet, head, head.changed)
    if (this.#added !== null) whole = withAddedProperties(whole, this.#added)
    if (whole === packet) return this.#passUnless(packet, null)
    if (whole.length <= this.#packetBytesMax) return this.#passUnless(whole, null)
    const sentence = `a PUBLISH that has ${whole.length} bytes for the broker is larger than ${this.#packetBytesMax}`
    return new Violation('packet-too-large', reason.packetTooLarge, sentence)
  }

  /** Why a message may not go on, or null. */
  #denialOf(head: PublishHead, payloadBytes: number): PublishDenial | null {
    return topicDenial(head, this.#rights) ?? measureDenial(head.qos, payloadBytes, this.#rights.limits)
  }

  /** MQTT 5 can say no to one message; before it the choice is to close or to say yes and do nothing (MQTT-3.3.5-2). */
  #denyPublish({ qos, packetId }: PublishHead, { code, sentence, reasonV5 }: PublishDenial): ClientVerdict {
    const { version } = this.#client
    if (version !== 5 && this.#deniedPublishV3 === 'close') return { code, sentence }
    this.#outlet.onDenied(code, sentence)
    if (qos === 0) return null
    const type = qos === 1 ? packetType.puback : packetType.pubrec
    if (version === 5) this.#outlet.toClient(this.#denial(type, packetId, reasonV5, toldToClient(code, sentence)))
    else {
      if (qos === 2) this.#swallowed.add(packetId)
      this.#outlet.toClient(encodeAcknowledgement(type, packetId, version))
    }
    return null
  }

  /** The client releases a message of QoS 2, which the broker may never have seen. */
  #releaseOfClient(packet: Buffer): Violation | null {
    const { version } = this.#client
    const packetId = parseAcknowledgement(packet, version)
    if (packetId instanceof Violation) return packetId
    if (this.#swallowed.delete(packetId)) {
      this.#outlet.toClient(encodeAcknowledgement(packetType.pubcomp, packetId, version))
      return null
    }
    this.#unreleased.end(packetId)
    this.#outlet.toBroker(packet)
    return null
  }

  #denial(type: AcknowledgementType, packetId: number, reasonV5: number, told: string): Buffer {
    return withReasonString(
      (text) => encodeAcknowledgement(type, packetId, 5, reasonV5, text),
      this.#client.wantsReasons ? told : null,
      this.#client.packetBytesMax,
    )
  }

  /** Judges one whole packet of the broker and passes on what may pass. */
  fromBroker(packet: Buffer): Ending | null {
    const type = typeOf(packet)
    switch (type) {
      case packetType.publish:
        return this.#deliver(packet)
      case packetType.pubrel:
        return this.#release(packet)
      case packetType.suback:
        return this.#suback(packet)
      case packetType.unsuback:
        if (!this.#subscriptions.unsuback(packet)) this.#outlet.toClient(packet)
        return null
      case packetType.puback:
      case packetType.pubrec:
      case packetType.pubcomp:
        return this.#acknowledge(packet)
      case packetType.disconnect:
        if (this.#client.version !== 5) return brokerFault('the broker sent DISCONNECT before MQTT 5')
        this.#outlet.toClient(packet)
        return null
      case packetType.pingresp:
        this.#outlet.toClient(packet)
        return null
      default:
        return brokerFault(`the broker sent ${packetNames[type]} in a session`)
    }
  }

  #suback(packet: Buffer): Ending | null {
    const answer = this.#subscriptions.suback(packet)
    if (answer instanceof Violation) return brokerFault(`the broker sent a SUBACK in which ${answer.sentence}`)
    this.#outlet.toClient(answer)
    return null
  }

  /** The broker has a message of the client, or a part of the way to it. */
  #acknowledge(packet: Buffer): Ending | null {
    const acknowledgement = readAcknowledgement(packet)
    if (acknowledgement === null) {
      return brokerFault(`the broker sent a ${packetNames[typeOf(packet)]} without an identifier`)
    }
    const { packetId, isFinal } = acknowledgement
    if (isFinal) {
      this.#inFlight.end(packetId)
      this.#unreleased.end(packetId)
    }
    this.#outlet.toClient(packet)
    return null
  }

  #deliver(packet: Buffer): Ending | null {
    const { version } = this.#client
    const head = scanPublish(packet, version, 'broker')
    if (head instanceof Violation) return brokerFault(`the broker sent a PUBLISH in which ${head.sentence}`)
    const mayHave = this.#rights.mayReceive(head.topic) && this.#subscriptions.mayHaveBrought(head.topic)
    // What is too large for the client counts as delivered too (MQTT-3.1.2-25).
    if (mayHave && packet.length <= this.#client.packetBytesMax) {
      this.#outlet.toClient(packet)
      return null
    }
    // The client never sees it: answer in its place, so that the broker's queue moves on.
    if (head.qos === 1) this.#outlet.toBroker(encodeAcknowledgement(packetType.puback, head.packetId, version))
    if (head.qos === 2) {
      this.#withheld.add(head.packetId)
      this.#outlet.toBroker(encodeAcknowledgement(packetType.pubrec, head.packetId, version))
    }
    return null
  }

  #release(packet: Buffer): Ending | null {
    const { version } = this.#client
    const packetId = parseAcknowledgement(packet, version)
    if (packetId instanceof Violation) return brokerFault(`the broker sent a PUBREL in which ${packetId.sentence}`)
    if (this.#withheld.delete(packetId)) {
      this.#outlet.toBroker(encodeAcknowledgement(packetType.pubcomp, packetId, version))
    } else this.#outlet.toClient(packet)
    return null
  }
}

function brokerFault(sentence: string): Ending {
  return { code: 'upstream-refused', sentence, reasonV5: reason.unspecified }
}
