/** Makes of a message what one client is to get of it, by the client's subscriptions. */
import { matches, type TopicFilter } from '../../../core/mqtt/filter.ts'
import type { QoS } from '../../../core/mqtt/protocol.ts'
import type { TopicName } from '../../../core/mqtt/topic.ts'
import type { AedesClient, Message, StoredSubscription } from './aedes-types.ts'
import type { Delivery } from './outbox.ts'
import { ownBytes } from './own-bytes.ts'

/** What the subscriptions that match a message make of it. */
export interface Terms {
  readonly qos: QoS
  readonly retain: boolean
  readonly identifiers: readonly number[]
}

/** @param payload of the message, or its copy */
export function deliveryOf(message: Message, terms: Terms, payload: Buffer, onGone: (() => void) | null): Delivery {
  return {
    topic: message.topic,
    payload,
    ...terms,
    properties: message.properties,
    expiresAtMs: message.messageExpiry ?? null,
    onGone,
  }
}

/**
 * A message for a session whose client is away, with the highest QoS that its subscriptions allow (MQTT-3.3.5-1).
 *
 * @param subscriptions of the session that match, at least one
 */
export function awayDelivery(message: Message, subscriptions: readonly StoredSubscription[]): Delivery {
  let qos: QoS = 0
  let retain = false
  const identifiers: number[] = []
  for (const subscription of subscriptions) {
    qos = highest(qos, subscription.qos)
    // MQTT-3.3.1-12.
    if (subscription.rap === true) retain ||= message.retain
    if (subscription.subscriptionIdentifier !== undefined) identifiers.push(subscription.subscriptionIdentifier)
  }
  return deliveryOf(message, { qos: lowest(qos, message.qos), retain, identifiers }, ownBytes(message.payload), null)
}

/** The highest QoS that the subscriptions of a client grant for a topic; 0 when none matches. */
export function grantedQos(client: AedesClient, topic: string): QoS {
  let granted: QoS = 0
  for (const [filter, { qos }] of Object.entries(client.subscriptions)) {
    if (qos > granted && matches(filter as TopicFilter, topic as TopicName)) granted = qos
    if (granted === 2) break
  }
  return granted
}

export function lowest(a: QoS, b: QoS): QoS {
  return a < b ? a : b
}

function highest(a: QoS, b: QoS): QoS {
  return a > b ? a : b
}
