/** What of Aedes the adapter touches and Aedes does not declare. */
import type { QoS } from '../../../core/mqtt/protocol.ts'
import type { ClientStream } from './client-stream.ts'
import type { MessageProperties } from './message-properties.ts'

/** A message as Aedes passes it around. */
export interface Message {
  readonly topic: string
  readonly payload: Buffer | string
  readonly qos: QoS
  readonly retain: boolean
  /** Null for a retained message that comes in answer to a SUBSCRIBE. */
  readonly brokerId: string | null
  /** Numbers the messages of the broker. */
  readonly brokerCounter: number
  /** Who published it. */
  readonly clientId?: string
  /** Whether the subscription that it comes through has No Local set. */
  readonly nl?: boolean
  readonly properties?: MessageProperties
  /** When it expires, in milliseconds since the epoch. */
  readonly messageExpiry?: number
}

/** A subscription as Aedes hands it to its persistence. */
export interface StoredSubscription {
  readonly topic: string
  readonly qos: QoS
  readonly rh?: number
  readonly rap?: boolean
  readonly nl?: boolean
  readonly subscriptionIdentifier?: number
}

/** Hands a message to a client; `done` may hold up the publisher. */
export type Deliver = (message: Message, done: () => void) => void

export interface AedesClient {
  readonly id: string
  readonly version: 4 | 5
  /** True for a session that ends with its connection. */
  readonly clean: boolean
  readonly closed: boolean
  readonly conn: ClientStream
  /** What the client says it can have unacknowledged; 65,535 where it says nothing. */
  readonly receiveMaximum: number
  /** By filter. */
  subscriptions: Readonly<Record<string, { readonly qos: QoS }>>
  /** The CONNACK is written. */
  readonly connackSent: boolean
  readonly _parser: NodeJS.EventEmitter & { parse(bytes: Buffer): unknown }
  /** Called for subscriptions of QoS 0. */
  deliver0: Deliver
  /** Called for subscriptions of QoS 1 and 2, and for retained messages. */
  deliverQoS: Deliver
  /** Called at the end of a session, to forget what waits for it. */
  emptyOutgoingQueue(done: () => void): void
  /** Calls back when the stream has room, and ends a client that takes nothing for too long. */
  waitForDrain(done: () => void): void
  emit(event: 'error', error: Error): boolean
}
