/** Who sends a message, in user properties of MQTT 5 that each of its messages gets where the operator wants it. */
import { propertyBytes } from '../core/mqtt/encoding.ts'
import { identityProperties } from '../core/mqtt/own-properties.ts'
import type { Subject } from '../core/policy/rights.ts'

/** What a longer packet and longer properties add to the fields that say their length. */
const LENGTH_BYTES_MAX = 6

/** The properties as they stand in a packet. */
export function addedProperties({ identity, clientId }: Pick<Subject, 'identity' | 'clientId'>): Buffer {
  return propertyBytes(identityProperties(identity.id, clientId))
}

/** By how much a message grows at most. */
export function addedBytesMax(subject: Pick<Subject, 'identity' | 'clientId'>): number {
  return addedProperties(subject).length + LENGTH_BYTES_MAX
}
