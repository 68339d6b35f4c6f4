/**
 * The guard: every packet, both ways, passes it. What a client may not do does not reach the broker; what it may not read
 * or cannot take does not reach the client. It holds no socket and can be tried without one.
 */
import { quote } from '../core/errors.ts'
import { type FailureName, toldToClient } from '../core/failure/catalogue.ts'
import { type AcknowledgementType, encodeAcknowledgement, parseAcknowledgement } from '../core/mqtt/acknowledgement.ts'
import { emptyPacketRefusal, parseDisconnect } from '../core/mqtt/disconnect.ts'
import { withReasonString } from '../core/mqtt/encoding.ts'
import { type ProtocolVersion, packetNames, packetType, reason, typeOf } from '../core/mqtt/protocol.ts'
import { type PublishHead, scanPublish } from '../core/mqtt/publish.ts'
import { protocolError, Violation } from '../core/mqtt/violation.ts'
import type { Rights } from '../core/policy/rights.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import type { Ending } from './options.ts'
import { SubscriptionGuard } from './subscription-guard.ts'

export interface GuardedClient {
  readonly version: ProtocolVersion
  /** Whether acknowledgements may carry a Reason String. */
  readonly wantsReasons: boolean
  /** Longest packet that the client accepts, in bytes. */
  readonly packetBytesMax: number
}

/** Where packets go, and who hears of denials. */
export interface GuardOutlet {
  toBroker(packet: Buffer): void
  toClient(packet: Buffer): void
  onDenied(code: FailureName, sentence: string): void
}

/** What a packet of the client means for the session: nothing further, its good end, or a bad one. */
export type ClientVerdict = null | 'disconnected' | Ending

export class Guard {
  readonly #client: GuardedClient
  readonly #rights: Rights
  readonly #abilities: UpstreamAbilities
  readonly #outlet: GuardOutlet
  readonly #subscriptions: SubscriptionGuard
  /** Packet identifiers of QoS 2 messages that were withheld from the client and are not released yet. */
  readonly #withheld = new Set<number>()

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
    this.#outlet = outlet
    this.#subscriptions = new SubscriptionGuard(client, rights, abilities, subscriptionsMax, outlet)
  }

  /** Judges one whole packet of the client and passes on what may pass. */
  fromClient(packet: Buffer): ClientVerdict {
    const type = typeOf(packet)
    switch (type) {
      case packetType.publish:
        return this.#publish(packet)
      case packetType.puback:
      case packetType.pubrec:
      case packetType.pubrel:
      case packetType.pubcomp:
        return this.#passUnless(packet, parseAcknowledgement(packet, this.#client.version))
      case packetType.pingreq:
        return this.#passUnless(packet, emptyPacketRefusal(packet))
      case packetType.subscribe:
        return this.#subscriptions.subscribe(packet)
      case packetType.unsubscribe:
        return this.#subscriptions.unsubscribe(packet)
      case packetType.disconnect:
        return this.#passUnless(packet, parseDisconnect(packet, this.#client.version)) ?? 'disconnected'
      default:
        return protocolError(`a client may not send ${packetNames[type]} in a session`)
    }
  }

  #passUnless(packet: Buffer, parsed: unknown): Violation | null {
    if (parsed instanceof Violation) return parsed
    this.#outlet.toBroker(packet)
    return null
  }

  #publish(packet: Buffer): ClientVerdict {
    const head = scanPublish(packet, this.#client.version, 'client')
    if (head instanceof Violation) return head
    if (head.qos > this.#abilities.qosMax) {
      return protocolError(`QoS ${head.qos} is not offered here`, reason.qosNotSupported)
    }
    if (head.retain && !this.#abilities.retain) {
      return protocolError('retained messages are not offered here', reason.retainNotSupported)
    }
    if (!this.#rights.mayPublish(head.topic)) return this.#denyPublish(head)
    this.#outlet.toBroker(packet)
    return null
  }

  /** MQTT 5 can say no to one message; under MQTT 3.1.1 the choice is to close or to lie (MQTT-3.3.5-2). */
  #denyPublish({ topic, qos, packetId }: PublishHead): ClientVerdict {
    const sentence = `the identity may not publish to ${quote(topic)}`
    if (this.#client.version === 4) return { code: 'publish-denied', sentence }
    this.#outlet.onDenied('publish-denied', sentence)
    if (qos > 0) {
      const type = qos === 1 ? packetType.puback : packetType.pubrec
      this.#outlet.toClient(this.#denial(type, packetId, toldToClient('publish-denied', sentence)))
    }
    return null
  }

  #denial(type: AcknowledgementType, packetId: number, told: string): Buffer {
    return withReasonString(
      (text) => encodeAcknowledgement(type, packetId, 5, reason.notAuthorized, text),
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
        this.#outlet.toClient(this.#subscriptions.suback(packet))
        return null
      case packetType.puback:
      case packetType.pubrec:
      case packetType.pubcomp:
      case packetType.unsuback:
      case packetType.pingresp:
      case packetType.disconnect:
        this.#outlet.toClient(packet)
        return null
      default:
        return brokerFault(`the broker sent ${packetNames[type]} in a session`)
    }
  }

  #deliver(packet: Buffer): Ending | null {
    const { version } = this.#client
    const head = scanPublish(packet, version, 'broker')
    if (head instanceof Violation) return brokerFault(`the broker sent a PUBLISH in which ${head.sentence}`)
    // What is too large for the client counts as delivered too (MQTT-3.1.2-25).
    if (this.#rights.mayReceive(head.topic) && packet.length <= this.#client.packetBytesMax) {
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
