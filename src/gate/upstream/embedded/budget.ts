/** What the broker may hold in memory, in all and for each identity, so that no device takes the place of others. */
import type { MessageProperties } from './message-properties.ts'

export interface BudgetLimits {
  readonly bytesMax: number
  readonly identityBytesMax: number
}

export class Budget {
  readonly #limits: BudgetLimits
  #bytes = 0
  readonly #byIdentity = new Map<string, number>()

  constructor(limits: BudgetLimits) {
    this.#limits = limits
  }

  /** Bytes that are taken in all. */
  get bytes(): number {
    return this.#bytes
  }

  /** Takes room for an identity; false, and nothing is taken, when there is none. */
  take(identity: string, bytes: number): boolean {
    const own = (this.#byIdentity.get(identity) ?? 0) + bytes
    if (own > this.#limits.identityBytesMax || this.#bytes + bytes > this.#limits.bytesMax) return false
    this.#byIdentity.set(identity, own)
    this.#bytes += bytes
    return true
  }

  giveBack(identity: string, bytes: number): void {
    this.#bytes -= bytes
    const own = (this.#byIdentity.get(identity) ?? 0) - bytes
    if (own > 0) this.#byIdentity.set(identity, own)
    else this.#byIdentity.delete(identity)
  }
}

/** The identity in a client id: the gate puts it in front, with a separator that is in no identity id. */
export function identityOf(clientId: string): string {
  return clientId.split('/', 1)[0] ?? ''
}

/** Bytes that a message takes beside its payload: the objects that hold it, measured at about this. */
const messageOverheadBytes = 300
/** The same for each user property. */
const propertyOverheadBytes = 80

/** About how many bytes a message takes in memory: its payload, its strings and its properties. */
export function heldBytes(message: {
  readonly topic: string
  readonly payload: Buffer | string
  readonly properties?: MessageProperties | undefined
}): number {
  const { contentType = '', responseTopic = '', correlationData, userProperties = {} } = message.properties ?? {}
  let bytes = messageOverheadBytes + message.payload.length + (correlationData?.length ?? 0)
  // A string takes two bytes a character where one of them is beyond Latin-1.
  bytes += 2 * (message.topic.length + contentType.length + responseTopic.length)
  for (const [name, values] of Object.entries(userProperties)) {
    for (const value of [values].flat()) bytes += propertyOverheadBytes + 2 * (name.length + value.length)
  }
  return bytes
}
