/**
 * What Aedes asks of a persistence, in memory and within limits, in place of its own, which has none. Sessions, their
 * subscriptions and their messages are in `sessions.ts`; Aedes is told as much of them as it needs.
 */
import { Readable } from 'node:stream'
import { limits } from '../../../core/limits.ts'
import type { Message, StoredSubscription } from './aedes-types.ts'
import { brokerLimits } from './broker-limits.ts'
import { awayDelivery } from './deliveries.ts'
import { ownBytes } from './own-bytes.ts'
import { RetainedMessages } from './retained-messages.ts'
import type { Sessions } from './sessions.ts'

interface ClientId {
  readonly id: string
}
interface PacketId {
  readonly messageId: number
}
interface Will {
  readonly payload: Buffer | string
}

/**
 * Stands for a session without subscriptions, which Aedes would take for none (MQTT-3.2.2-2). It is never granted.
 */
export const keptSessionMarker: StoredSubscription = Object.freeze({ topic: '$SYS/session', qos: 0 })

export class Persistence {
  readonly #sessions: Sessions
  readonly #retained = new RetainedMessages()
  readonly #wills = new Map<string, Will>()
  #brokerId = ''

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  async setup(broker: { readonly id: string }): Promise<void> {
    this.#brokerId = broker.id
  }

  async destroy(): Promise<void> {}

  // Retained messages and wills

  async storeRetained(message: Message): Promise<void> {
    this.#retained.store(message)
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#retained.matching(filters))
  }

  async putWill(client: ClientId, will: Will): Promise<void> {
    // Aedes goes on with the will that it hands over, so it is changed in place.
    const added = { payload: ownBytes(will.payload), brokerId: this.#brokerId, clientId: client.id }
    this.#wills.set(client.id, Object.assign(will, added))
  }

  async delWill(client: ClientId): Promise<Will | undefined> {
    const will = this.#wills.get(client.id)
    this.#wills.delete(client.id)
    return will
  }

  /** Wills of brokers that have gone; there is only this one. */
  streamWill(): Readable {
    return Readable.from([])
  }

  // Subscriptions of sessions that last

  async addSubscriptions({ id }: ClientId, subscriptions: readonly StoredSubscription[]): Promise<void> {
    const session = this.#sessions.find(id)
    if (session === undefined) return
    for (const subscription of subscriptions) {
      if (mayHold(session.subscriptions, subscription.topic)) this.#sessions.subscribe(id, session, subscription)
    }
  }

  async removeSubscriptions({ id }: ClientId, filters: readonly string[]): Promise<void> {
    for (const filter of filters) this.#sessions.unsubscribe(id, filter)
  }

  async subscriptionsByClient({ id }: ClientId): Promise<readonly StoredSubscription[]> {
    if (!this.#sessions.isKept(id)) return []
    const subscriptions = [...(this.#sessions.find(id)?.subscriptions.values() ?? [])]
    return subscriptions.length > 0 ? subscriptions : [keptSessionMarker]
  }

  /** Aedes calls this whenever a session ends: for a clean start, and when its time is over. */
  async cleanSubscriptions({ id, closed }: ClientId & { readonly closed?: boolean }): Promise<void> {
    // A connection that is over may not end the session of one that has come in its place.
    if (closed !== true || this.#sessions.find(id)?.server?.isOpen !== true) this.#sessions.end(id)
  }

  /** Aedes asks for these to give them to {@link outgoingEnqueueCombi}, which finds them itself. */
  async subscriptionsByTopic(): Promise<readonly []> {
    return []
  }

  // Messages on their way to clients

  /** The message is for sessions whose client is away; the deliverer of each client that is there has it from Aedes. */
  async outgoingEnqueueCombi(_recipients: readonly unknown[], message: Message): Promise<void> {
    for (const [session, subscriptions] of this.#sessions.awayFor(message.topic)) {
      session.put(awayDelivery(message, subscriptions))
    }
  }

  /** Called for a PUBREC of a session that lasts. */
  async outgoingUpdate({ id }: ClientId, { messageId }: PacketId): Promise<void> {
    this.#sessions.find(id)?.outbox.release(messageId)
  }

  /** Called for PUBACK and PUBCOMP. */
  async outgoingClearMessageId({ id }: ClientId, { messageId }: PacketId): Promise<void> {
    this.#sessions.find(id)?.settle(messageId)
  }

  /** The deliverers send what waits, in place of Aedes, which takes whatever a pipeline can begin with. */
  outgoingStream(): readonly [] {
    return []
  }

  // Messages of QoS 2 that clients have not released

  async incomingStorePacket({ id }: ClientId, { messageId }: PacketId): Promise<void> {
    const unreleased = this.#sessions.find(id)?.unreleased
    if (unreleased === undefined || unreleased.size >= brokerLimits.unreleasedMessagesMax) throw tooManyUnreleased
    unreleased.add(messageId)
  }

  async incomingGetPacket({ id }: ClientId, { messageId }: PacketId): Promise<PacketId> {
    if (this.#sessions.find(id)?.unreleased.has(messageId) !== true) throw unknownPacket
    return { messageId }
  }

  async incomingDelPacket({ id }: ClientId, { messageId }: PacketId): Promise<void> {
    this.#sessions.find(id)?.unreleased.delete(messageId)
  }
}

/** Whether a session may hold a filter beside those it has. */
export function mayHold(held: { readonly size: number; has(filter: string): boolean }, filter: string): boolean {
  return held.size < limits.subscriptionsPerSessionMax || held.has(filter)
}

// Made once: the usual case is that a packet is not known, and an error with a stack is dear.
const unknownPacket = new Error('no message of this packet identifier waits for its release')
const tooManyUnreleased = new Error('too many messages of QoS 2 wait for their release')
