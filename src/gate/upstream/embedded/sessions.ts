/**
 * The sessions of the broker: what belongs to a client id across connections. A session that ends with its connection is
 * here as long as that lives, so that its messages are counted as well.
 */
import type { StoredSubscription } from './aedes-types.ts'
import { brokerLimits } from './broker-limits.ts'
import { Budget, identityOf } from './budget.ts'
import { FilterTree } from './filter-tree.ts'
import { type Delivery, Outbox } from './outbox.ts'

/** The connection that serves a session. */
export interface Server {
  /** False when the connection is ending: what comes now is for the session. */
  readonly isOpen: boolean
  /** Whether the session goes on without the connection. */
  readonly isLasting: boolean
  /** Sends what waits in the session's outbox, as far as the client takes it. */
  pump(): void
  /** Ends the connection, because messages of QoS 1 or 2 for it cannot be held. */
  cutOff(): void
}

export class Session {
  readonly outbox: Outbox
  /** By filter. */
  readonly subscriptions = new Map<string, StoredSubscription>()
  /** Packet identifiers of the client's QoS 2 messages that it has not released. */
  readonly unreleased = new Set<number>()
  server: Server | null = null

  constructor(budget: Budget, identity: string) {
    this.outbox = new Outbox(budget, identity)
  }

  /** Whether messages are kept for it although nobody serves it. */
  get isLasting(): boolean {
    return this.server === null || this.server.isLasting
  }

  /** Adds a message; one too many for a client that is there ends its connection, so that it hears of the loss. */
  put(delivery: Delivery): void {
    const { presentMessagesMax, awayMessagesMax } = brokerLimits
    if (this.outbox.put(delivery, this.server === null ? awayMessagesMax : presentMessagesMax)) return
    delivery.onGone?.()
    this.server?.cutOff()
  }

  /** The client has acknowledged a message to the end, which makes room for others. */
  settle(packetId: number): void {
    this.outbox.settle(packetId)
    this.server?.pump()
  }
}

export class Sessions {
  readonly #byClient = new Map<string, Session>()
  /** How many sessions each identity has. */
  readonly #counts = new Map<string, number>()
  readonly #budget = new Budget({
    bytesMax: brokerLimits.queuedBytesMax,
    identityBytesMax: brokerLimits.queuedBytesPerIdentityMax,
  })
  /** The subscriptions of sessions that last. */
  readonly #filters = new FilterTree<StoredSubscription>()

  find(clientId: string): Session | undefined {
    return this.#byClient.get(clientId)
  }

  /** Whether a client that comes now finds a session (MQTT-3.2.2-2). */
  isKept(clientId: string): boolean {
    return this.#byClient.get(clientId)?.isLasting ?? false
  }

  /** A connection takes over the session of a client id, or starts one. */
  attach(clientId: string, server: Server): Session {
    let session = this.#byClient.get(clientId)
    if (session === undefined || !session.isLasting) {
      this.end(clientId)
      session = new Session(this.#budget, identityOf(clientId))
      this.#byClient.set(clientId, session)
      this.#count(clientId, 1)
    }
    session.server = server
    return session
  }

  /** A connection is over; another may serve its session already. */
  detach(clientId: string, server: Server): void {
    const session = this.#byClient.get(clientId)
    if (session?.server !== server) return
    // One session too many ends with its connection, as if it had not asked to last.
    const mayStay = (this.#counts.get(identityOf(clientId)) ?? 0) <= brokerLimits.sessionsPerIdentityMax
    if (server.isLasting && mayStay) session.server = null
    else this.end(clientId)
  }

  #count(clientId: string, change: 1 | -1): void {
    const identity = identityOf(clientId)
    const count = (this.#counts.get(identity) ?? 0) + change
    if (count > 0) this.#counts.set(identity, count)
    else this.#counts.delete(identity)
  }

  end(clientId: string): void {
    const session = this.#byClient.get(clientId)
    if (session === undefined) return
    this.#byClient.delete(clientId)
    this.#count(clientId, -1)
    for (const filter of session.subscriptions.keys()) this.#filters.delete(filter, clientId)
    session.outbox.clear()
  }

  /** @param session of that client, which lasts */
  subscribe(clientId: string, session: Session, subscription: StoredSubscription): void {
    session.subscriptions.set(subscription.topic, subscription)
    if (subscription.qos > 0) this.#filters.set(subscription.topic, clientId, subscription)
    else this.#filters.delete(subscription.topic, clientId)
  }

  unsubscribe(clientId: string, filter: string): void {
    if (this.#byClient.get(clientId)?.subscriptions.delete(filter)) this.#filters.delete(filter, clientId)
  }

  /** The sessions whose client is away and that want a message of QoS 1 or 2, each with its subscriptions that match. */
  awayFor(topic: string): ReadonlyMap<Session, readonly StoredSubscription[]> {
    const found = new Map<Session, StoredSubscription[]>()
    this.#filters.match(topic, (clientId, subscription) => {
      const session = this.#byClient.get(clientId)
      if (session === undefined || session.server?.isOpen) return
      const matching = found.get(session)
      if (matching === undefined) found.set(session, [subscription])
      else matching.push(subscription)
    })
    return found
  }
}
