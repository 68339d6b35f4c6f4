/** CONNACK codes and reason codes by their names, as programs print them. */
import type { Symptom } from '../symptom.ts'
import { reasonCodes, returnCodes } from '../symptoms/mqtt.ts'

/** Return codes of MQTT 3.1.1 by name, letters and digits only. */
const names3: readonly (readonly [name: string, code: number])[] = [
  ['unacceptableprotocolversion', 1],
  ['refusedprotocolversion', 1],
  ['invalidprotocolversion', 1],
  ['identifierrejected', 2],
  ['idrejected', 2],
  ['refusedidentifierrejected', 2],
  ['invalidclientid', 2],
  ['serverunavailable', 3],
  ['brokerunavailable', 3],
  ['refusedserverunavailable', 3],
  ['badusernameorpassword', 4],
  ['refusedbadusernameorpassword', 4],
  ['notauthorized', 5],
  ['notauthorised', 5],
  ['notauthorizedtoconnect', 5],
  ['refusednotauthorized', 5],
]

/** Reason codes of MQTT 5 by name; those that MQTT 3.1.1 has as well mean the same. */
const names5: readonly (readonly [name: string, code: number])[] = [
  ['unspecifiederror', 0x80],
  ['malformedpacket', 0x81],
  ['protocolerror', 0x82],
  ['implementationspecificerror', 0x83],
  ['unsupportedprotocolversion', 0x84],
  ['clientidentifiernotvalid', 0x85],
  ['clientidentifierinvalid', 0x85],
  ['serverbusy', 0x89],
  ['banned', 0x8a],
  ['servershuttingdown', 0x8b],
  ['badauthenticationmethod', 0x8c],
  ['keepalivetimeout', 0x8d],
  ['sessiontakenover', 0x8e],
  ['topicfilterinvalid', 0x8f],
  ['topicnameinvalid', 0x90],
  ['receivemaximumexceeded', 0x93],
  ['topicaliasinvalid', 0x94],
  ['packettoolarge', 0x95],
  ['messageratetoohigh', 0x96],
  ['quotaexceeded', 0x97],
  ['administrativeaction', 0x98],
  ['payloadformatinvalid', 0x99],
  ['retainnotsupported', 0x9a],
  ['qosnotsupported', 0x9b],
  ['useanotherserver', 0x9c],
  ['servermoved', 0x9d],
  ['sharedsubscriptionsnotsupported', 0x9e],
  ['connectionrateexceeded', 0x9f],
  ['subscriptionidentifiersnotsupported', 0xa1],
  ['wildcardsubscriptionsnotsupported', 0xa2],
]

const byName: ReadonlyMap<string, Symptom | undefined> = new Map([
  ...names5.map(([name, code]) => [name, reasonCodes.get(code)] as const),
  ...names3.map(([name, code]) => [name, returnCodes.get(code)] as const),
])

/** What a name of a code says, in whatever spelling: "NOT_AUTHORIZED", "Not authorized", "NotAuthorized". */
export function codeNamed(text: string): Symptom | null {
  return (
    byName.get(
      text
        .toLowerCase()
        .replaceAll(/[^a-z0-9]/g, '')
        .replace(/^connectionrefused/, ''),
    ) ?? null
  )
}

/** What a code in a CONNACK or DISCONNECT says: below 0x80 one of MQTT 3.1.1, else one of MQTT 5; null for success and what is none. */
export function codeNumbered(code: number): Symptom | null {
  return (code < 0x80 ? returnCodes.get(code) : reasonCodes.get(code)) ?? null
}
