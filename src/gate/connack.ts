/** The CONNACKs of the gate: the broker's made its own, and refusals. */
import { failure, toldToClient } from '../core/failure/catalogue.ts'
import { wireForms } from '../core/failure/wire-forms.ts'
import { type Connack, encodeConnack } from '../core/mqtt/connack.ts'
import type { Connect } from '../core/mqtt/connect.ts'
import {
  flagProperty,
  reasonStringOf,
  textProperty,
  u16Property,
  u32Property,
  withReasonString,
} from '../core/mqtt/encoding.ts'
import { numberIn, type Property, property } from '../core/mqtt/properties.ts'
import type { ProtocolVersion } from '../core/mqtt/protocol.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import type { Ending, GateLimits } from './options.ts'

/** What of the broker's CONNACK does not reach the client: the gate speaks for itself there, or it concerns the gate alone. */
const withheld: ReadonlySet<number> = new Set([
  property.assignedClientId,
  property.topicAliasMaximum,
  property.authenticationMethod,
  property.authenticationData,
  property.serverReference,
  property.reasonString,
  property.maximumPacketSize,
  property.receiveMaximum,
])

/** Receive Maximum where a CONNACK names none (MQTT 5 §3.2.2.3.3). */
const RECEIVE_MAXIMUM_DEFAULT = 0xffff

/** How many messages of QoS 1 and 2 a client may have on their way to this broker. */
export function receiveMaximumOf(connack: Connack, limits: Pick<GateLimits, 'receiveMaximum'>): number {
  return Math.min(
    numberIn(connack.properties, property.receiveMaximum) ?? RECEIVE_MAXIMUM_DEFAULT,
    limits.receiveMaximum,
  )
}

/**
 * The CONNACK that lets a client in.
 *
 * @param client MQTT 3.1 has no word for a session that is there already
 * @param addedBytes by how much a message may grow on its way to the broker
 * @param assignedClientId the client id that the gate chose, without the identity in front; null when the client brought one
 */
export function admittingConnack(
  connack: Connack,
  { version, isV31 }: Pick<Connect, 'version' | 'isV31'>,
  abilities: UpstreamAbilities,
  limits: Pick<GateLimits, 'packetBytesMax' | 'receiveMaximum' | 'topicAliasesMax'>,
  assignedClientId: string | null,
  addedBytes = 0,
): Buffer {
  if (version === 4) {
    return encodeConnack({ ...connack, sessionPresent: connack.sessionPresent && !isV31, properties: [] }, version)
  }
  const { packetBytesMax, topicAliasesMax } = limits
  const announced: Property[] = connack.properties.filter(({ id }) => !withheld.has(id))
  const announce = (added: Property) => {
    if (!announced.some(({ id }) => id === added.id)) announced.push(added)
  }
  const ofBroker = numberIn(connack.properties, property.maximumPacketSize) ?? packetBytesMax
  announce(u32Property(property.maximumPacketSize, Math.max(1, Math.min(ofBroker, packetBytesMax) - addedBytes)))
  announce(u16Property(property.receiveMaximum, receiveMaximumOf(connack, limits)))
  if (topicAliasesMax > 0) announce(u16Property(property.topicAliasMaximum, topicAliasesMax))
  if (assignedClientId !== null) announce(textProperty(property.assignedClientId, assignedClientId))
  if (abilities.qosMax < 2) announce(flagProperty(property.maximumQos, abilities.qosMax === 1 ? 1 : 0))
  if (!abilities.retain) announce(flagProperty(property.retainAvailable, 0))
  if (!abilities.sharedSubscriptions) announce(flagProperty(property.sharedAvailable, 0))
  return encodeConnack({ ...connack, properties: announced }, version)
}

/**
 * The CONNACK that refuses a client, with as much of the reason as it may know.
 *
 * @param bytesMax longest packet that the client accepts, where that is known
 */
export function refusingConnack(ending: Ending, version: ProtocolVersion, bytesMax: number): Buffer {
  const { connackV3, reasonV5 } = wireForms[failure(ending.code).kind]
  if (version === 4) return encodeConnack({ sessionPresent: false, code: connackV3, properties: [] }, version)
  const code = ending.reasonV5 ?? reasonV5
  const encode = (sentence: string | null) =>
    encodeConnack({ sessionPresent: false, code, properties: reasonStringOf(sentence) }, version)
  return withReasonString(encode, toldToClient(ending.code, ending.sentence), bytesMax)
}
