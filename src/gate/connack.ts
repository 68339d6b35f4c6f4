/** The CONNACKs of the gate: the broker's made its own, and refusals. */
import { failure, toldToClient } from '../core/failure/catalogue.ts'
import { wireForms } from '../core/failure/wire-forms.ts'
import { type Connack, encodeConnack } from '../core/mqtt/connack.ts'
import { flagProperty, reasonStringOf, textProperty, u32Property, withReasonString } from '../core/mqtt/encoding.ts'
import { numberIn, type Property, property } from '../core/mqtt/properties.ts'
import type { ProtocolVersion } from '../core/mqtt/protocol.ts'
import type { UpstreamAbilities } from '../hub/ports/upstream.ts'
import type { Ending } from './options.ts'

/** What of the broker's CONNACK does not reach the client: the gate speaks for itself there, or it concerns the gate alone. */
const withheld: ReadonlySet<number> = new Set([
  property.assignedClientId,
  property.topicAliasMaximum,
  property.authenticationMethod,
  property.authenticationData,
  property.serverReference,
  property.reasonString,
  property.maximumPacketSize,
])

/**
 * The CONNACK that lets a client in.
 *
 * @param assignedClientId the client id that the gate chose, without the identity in front; null when the client brought one
 */
export function admittingConnack(
  connack: Connack,
  version: ProtocolVersion,
  abilities: UpstreamAbilities,
  packetBytesMax: number,
  assignedClientId: string | null,
): Buffer {
  if (version === 4) return encodeConnack({ ...connack, properties: [] }, version)
  const announced: Property[] = connack.properties.filter(({ id }) => !withheld.has(id))
  const announce = (added: Property) => {
    if (!announced.some(({ id }) => id === added.id)) announced.push(added)
  }
  const ofBroker = numberIn(connack.properties, property.maximumPacketSize) ?? packetBytesMax
  announce(u32Property(property.maximumPacketSize, Math.min(ofBroker, packetBytesMax)))
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
