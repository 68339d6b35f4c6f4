/**
 * User properties of the hub's own (MQTT 5). They say who a client is to a broker and to those who read a will; a client that
 * writes some itself would speak as another, so its copies are taken out.
 */
import { pairProperty } from './encoding.ts'
import { type Property, property } from './properties.ts'

/** What every name of ours starts with. */
export const ownPropertyPrefix = 'handfast-'

const prefix = Buffer.from(ownPropertyPrefix)

/** Whether a property is, or claims to be, one of ours. Names differ in case for brokers, but not for who reads them. */
export function isOwnProperty({ id, value }: Property): boolean {
  // Behind the two bytes of the length of its name.
  return (
    id === property.userProperty &&
    value.toString('latin1', 2, 2 + prefix.length).toLowerCase() === ownPropertyPrefix &&
    value.readUInt16BE(0) >= prefix.length
  )
}

/** The properties of a client without those that claim to be ours. */
export function withoutOwnProperties(properties: readonly Property[]): readonly Property[] {
  return properties.some(isOwnProperty) ? properties.filter((each) => !isOwnProperty(each)) : properties
}

/** What says who a client is. */
export function identityProperties(identityId: string, clientId: string): readonly Property[] {
  return [
    pairProperty(property.userProperty, `${ownPropertyPrefix}identity`, identityId),
    pairProperty(property.userProperty, `${ownPropertyPrefix}client-id`, clientId),
  ]
}
