/**
 * Hands messages to one client in place of Aedes, which follows neither the QoS of wildcard subscriptions nor the client's
 * Receive Maximum, sends a session's old messages among its new ones, and marks none as sent before.
 */
import { limits } from '../../../core/limits.ts'
import { encodeAcknowledgement } from '../../../core/mqtt/acknowledgement.ts'
import { packetType, type QoS } from '../../../core/mqtt/protocol.ts'
import { encodePublish } from '../../../core/mqtt/publish.ts'
import type { AedesClient, Message } from './aedes-types.ts'
import { brokerLimits } from './broker-limits.ts'
import { deliveryOf, grantedQos, lowest } from './deliveries.ts'
import { propertiesOf } from './message-properties.ts'
import type { Delivery } from './outbox.ts'
import { ownBytes } from './own-bytes.ts'
import type { Server, Session, Sessions } from './sessions.ts'

/**
 * A message in the turn in which it came. Aedes hands it over once for each subscription that matches, all in one go; the
 * client gets it once, on the best of their terms (MQTT-3.3.5-1).
 */
interface Arrival {
  readonly message: Message
  /** Whether a subscription wants more than QoS 0. */
  wantsQos: boolean
  retain: boolean
  readonly identifiers: number[]
  /** For a retained message: the next one waits until this one is on its way. */
  readonly onGone: (() => void) | null
}

export class Deliverer implements Server {
  readonly #client: AedesClient
  readonly #sessions: Sessions
  #session: Session | null = null
  /** By the broker's number of the message. */
  #arrivals = new Map<number, Arrival>()
  /** Publishers that wait for this client, with their messages in `#arrivals`. */
  #publishers: (() => void)[] = []
  #isFlushDue = false
  /** What holds up streams of retained messages. */
  readonly #retained = new Set<() => void>()

  constructor(client: AedesClient, sessions: Sessions) {
    this.#client = client
    this.#sessions = sessions
    // By filters, of which some are names that every other object has.
    client.subscriptions = Object.create(null)
    client.deliver0 = (message, done) => this.#arrive(message, false, done)
    client.deliverQoS = (message, done) => this.#arrive(message, true, done)
    // What waits for it is not with Aedes, which would go through nothing, with two streams, at the end of each connection.
    client.emptyOutgoingQueue = (done) => done()
    client.conn.on('drain', () => this.pump())
    client.conn.once('close', () => this.#stop())
  }

  get isOpen(): boolean {
    return !this.#client.closed
  }

  get isLasting(): boolean {
    return !this.#client.clean
  }

  cutOff(): void {
    if (this.isOpen) this.#client.emit('error', new Error('too many messages wait for the client'))
  }

  /** The client will not have a message of QoS 2 that it was sent. */
  declined(packetId: number): void {
    this.#session?.settle(packetId)
  }

  /** The CONNACK is on its way: the session is this connection's from now on. */
  start(): void {
    if (!this.isOpen) return
    const { id, conn, version } = this.#client
    this.#session = this.#sessions.attach(id, this)
    for (const packetId of this.#session.outbox.restart()) {
      conn.write(encodeAcknowledgement(packetType.pubrel, packetId, version))
    }
    this.pump()
  }

  #stop(): void {
    this.#flush()
    this.#sessions.detach(this.#client.id, this)
    for (const goOn of [...this.#retained]) goOn()
  }

  get #isServing(): boolean {
    return this.isOpen && this.#session?.server === this
  }

  #arrive(message: Message, wantsQos: boolean, done: () => void): void {
    const { topic, brokerCounter, properties } = message
    const isOwn = message.nl === true && message.clientId === this.#client.id
    // What comes while another connection has the session, or none, is that one's or the session's.
    if (isReserved(topic) || isOwn || !this.#isServing) {
      setImmediate(done)
      return
    }
    // It comes in answer to a SUBSCRIBE, alone, and not to all who want the topic.
    const isRetained = message.brokerId === null
    if (!isRetained) this.#publishers.push(done)
    const identifier = properties?.subscriptionIdentifier
    const known = this.#arrivals.get(brokerCounter)
    if (known === undefined) {
      const identifiers = identifier === undefined ? [] : [identifier]
      const onGone = isRetained ? this.#once(done) : null
      this.#arrivals.set(brokerCounter, { message, wantsQos, retain: message.retain, identifiers, onGone })
    } else {
      known.wantsQos ||= wantsQos
      known.retain ||= message.retain
      if (identifier !== undefined) known.identifiers.push(identifier)
    }
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    setImmediate(() => this.#flush())
  }

  /** Called when a retained message is sent or given up, or at the end of the connection: whichever is first. */
  #once(done: () => void): () => void {
    const goOn = () => {
      if (this.#retained.delete(goOn)) done()
    }
    this.#retained.add(goOn)
    return goOn
  }

  #flush(): void {
    this.#isFlushDue = false
    const arrivals = this.#arrivals
    const publishers = this.#publishers
    this.#arrivals = new Map()
    this.#publishers = []
    const { conn } = this.#client
    // What is for the client leaves in one go.
    conn.cork()
    for (const arrival of arrivals.values()) this.#accept(arrival)
    conn.uncork()
    for (const done of publishers) this.#whenDrained(done)
  }

  #accept({ message, wantsQos, retain, identifiers, onGone }: Arrival): void {
    const qos = wantsQos ? this.#qosOf(message) : 0
    const terms = { qos, retain, identifiers }
    if (qos === 0) {
      this.#sendOnce(deliveryOf(message, terms, asBuffer(message.payload), null))
      if (onGone !== null) this.#whenDrained(onGone)
      return
    }
    const session = this.#session
    if (session === null || this.#sessions.find(this.#client.id) !== session) onGone?.()
    else {
      const isOnItsWay = !this.isLasting && !session.outbox.hasWaiting && this.#hasRoom(session)
      const payload = isOnItsWay ? asBuffer(message.payload) : ownBytes(message.payload)
      session.put(deliveryOf(message, terms, payload, onGone))
      session.server?.pump()
    }
  }

  /** The call says whether QoS 1 is granted; only QoS 2, and what is retained, needs a closer look (MQTT-3.8.4-6). */
  #qosOf({ qos, topic, brokerId }: Message): QoS {
    return qos === 2 || brokerId === null ? lowest(qos, grantedQos(this.#client, topic)) : qos
  }

  /** Sends a message of QoS 0, or drops it when too much waits for the client. */
  #sendOnce(delivery: Delivery): void {
    const isChoked = this.#client.conn.writableLength > 4 * brokerLimits.clientWaitingBytesMax
    if (this.#isServing && !isChoked) this.#write(delivery, 0, false)
  }

  #hasRoom({ outbox }: Session): boolean {
    const { receiveMaximum, conn } = this.#client
    const countMax = Math.min(receiveMaximum, brokerLimits.unacknowledgedMessagesMax)
    return outbox.unacknowledged < countMax && !conn.writableNeedDrain
  }

  pump(): void {
    const session = this.#session
    if (session === null || !this.#isServing) return
    while (this.#hasRoom(session)) {
      const sent = session.outbox.next(Date.now(), this.isLasting)
      if (sent === null) return
      this.#write(sent.delivery, sent.packetId, sent.dup)
      sent.delivery.onGone?.()
    }
  }

  #write(delivery: Delivery, packetId: number, dup: boolean): void {
    const { conn, version } = this.#client
    const { expiresAtMs, identifiers } = delivery
    // What has been sent before may go on after its time (MQTT-3.3.2-5).
    const expirySec = expiresAtMs === null ? null : Math.max(1, Math.ceil((expiresAtMs - Date.now()) / 1_000))
    const properties = version === 5 ? propertiesOf(delivery.properties, expirySec, identifiers) : []
    const { topic, payload, qos, retain } = delivery
    conn.write(encodePublish({ topic, payload, qos, retain, packetId, dup, properties }, version))
    if (conn.writableCorked === 0 || conn.writableLength < limits.upstreamCreditBytes) return
    // More than this is not held back: what waits here counts as what the client has not taken.
    conn.uncork()
    conn.cork()
  }

  /** Publishers wait with a client that has too much to take, until it has taken it or is cut off. */
  #whenDrained(done: () => void): void {
    if (this.isOpen && this.#client.conn.writableNeedDrain) this.#client.waitForDrain(done)
    else done()
  }
}

/** Aedes tells client ids below `$SYS/`: that is not for clients. */
export function isReserved(topic: string): boolean {
  return topic.startsWith('$SYS/')
}

function asBuffer(payload: Buffer | string): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload
}
