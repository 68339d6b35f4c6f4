import {
  binaryProperty,
  flagProperty,
  pairProperty,
  textProperty,
  u32Property,
  varint,
} from '../../../core/mqtt/encoding.ts'
import { type Property, property } from '../../../core/mqtt/properties.ts'

/** The properties of a message in the form that Aedes reads them into. */
export interface MessageProperties {
  readonly payloadFormatIndicator?: boolean
  readonly messageExpiryInterval?: number
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlationData?: Buffer
  readonly userProperties?: Readonly<Record<string, string | readonly string[]>>
  readonly subscriptionIdentifier?: number
}

/**
 * The properties that a delivered PUBLISH may carry (MQTT 5 §3.3.2.3); whatever else Aedes has put among them is left out.
 *
 * @param expirySec seconds until the message expires, or null when it does not
 * @param identifiers of the subscriptions that it comes through
 */
export function propertiesOf(
  message: MessageProperties | undefined,
  expirySec: number | null,
  identifiers: readonly number[],
): readonly Property[] {
  const properties: Property[] = []
  if (message?.payloadFormatIndicator !== undefined) {
    properties.push(flagProperty(property.payloadFormat, message.payloadFormatIndicator ? 1 : 0))
  }
  if (expirySec !== null) properties.push(u32Property(property.messageExpiry, expirySec))
  if (message?.contentType !== undefined) properties.push(textProperty(property.contentType, message.contentType))
  if (message?.responseTopic !== undefined) properties.push(textProperty(property.responseTopic, message.responseTopic))
  if (message?.correlationData !== undefined) {
    properties.push(binaryProperty(property.correlationData, message.correlationData))
  }
  for (const [name, values] of Object.entries(message?.userProperties ?? {})) {
    for (const value of [values].flat()) properties.push(pairProperty(property.userProperty, name, value))
  }
  for (const identifier of identifiers) {
    properties.push({ id: property.subscriptionIdentifier, value: varint(identifier) })
  }
  return properties
}
