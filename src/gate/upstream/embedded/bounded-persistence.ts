/**
 * Aedes keeps retained messages and queues in memory without a limit. This puts itself in front of that persistence and
 * refuses what goes beyond `brokerLimits`. It also copies payloads: they are views of the buffer in which a whole turn of
 * traffic came, and one kept byte would keep all of it.
 */
import { brokerLimits } from './broker-limits.ts'

/** A message as Aedes hands it to its persistence. */
export interface KeptMessage {
  readonly topic: string
  readonly payload: Buffer | string
}

interface Recipient {
  readonly clientId: string
}

/** What of Aedes's persistence is guarded here. */
export interface Persistence {
  storeRetained(message: KeptMessage): Promise<void>
  outgoingEnqueue(recipient: Recipient, message: KeptMessage): Promise<void>
  outgoingEnqueueCombi(recipients: readonly Recipient[], message: KeptMessage): Promise<void>
  outgoingClearMessageId(client: { readonly id: string }, message: KeptMessage): Promise<KeptMessage | undefined>
  putWill(client: { readonly id: string }, message: KeptMessage): Promise<void>
}

/**
 * @param isPresent whether the client of a session is connected now
 * @param onDrop called for each message that is not kept
 */
export function boundPersistence(
  persistence: Persistence,
  isPresent: (clientId: string) => boolean,
  onDrop: (what: 'retained' | 'queued') => void,
): void {
  boundRetained(persistence, onDrop)
  boundQueues(persistence, isPresent, onDrop)
  const putWill = persistence.putWill.bind(persistence)
  // Aedes fills in fields of the will that it hands over, so it is changed in place.
  persistence.putWill = (client, will) => putWill(client, Object.assign(will, { payload: ownBytes(will.payload) }))
}

function boundRetained(persistence: Persistence, onDrop: (what: 'retained') => void): void {
  const storeRetained = persistence.storeRetained.bind(persistence)
  const sizes = new Map<string, number>()
  let bytes = 0
  persistence.storeRetained = async (message) => {
    const size = message.payload.length
    const known = sizes.get(message.topic)
    if (size > 0) {
      const isTooMany = known === undefined && sizes.size >= brokerLimits.retainedMessagesMax
      if (isTooMany || bytes - (known ?? 0) + size > brokerLimits.retainedBytesMax) return onDrop('retained')
      sizes.set(message.topic, size)
    } else {
      sizes.delete(message.topic)
    }
    bytes += size - (known ?? 0)
    await storeRetained({ ...message, payload: ownBytes(message.payload) })
  }
}

function boundQueues(
  persistence: Persistence,
  isPresent: (clientId: string) => boolean,
  onDrop: (what: 'queued') => void,
): void {
  const enqueue = persistence.outgoingEnqueueCombi.bind(persistence)
  const clear = persistence.outgoingClearMessageId.bind(persistence)
  const queues = new Map<string, { count: number; bytes: number }>()
  let bytes = 0

  persistence.outgoingEnqueueCombi = async (recipients, message) => {
    const size = message.payload.length
    const kept = recipients.filter(({ clientId }) => {
      const queue = queues.get(clientId) ?? { count: 0, bytes: 0 }
      const countMax = isPresent(clientId) ? brokerLimits.presentMessagesMax : brokerLimits.awayMessagesMax
      if (queue.count >= countMax || bytes + size > brokerLimits.queuedBytesMax) {
        onDrop('queued')
        return false
      }
      queue.count++
      queue.bytes += size
      bytes += size
      queues.set(clientId, queue)
      return true
    })
    if (kept.length > 0) await enqueue(kept, { ...message, payload: ownBytes(message.payload) })
  }
  persistence.outgoingEnqueue = (recipient, message) => persistence.outgoingEnqueueCombi([recipient], message)

  persistence.outgoingClearMessageId = async (client, message) => {
    const cleared = await clear(client, message)
    const queue = queues.get(client.id)
    if (cleared === undefined || queue === undefined) return cleared
    queue.count--
    // Of a message of QoS 2 only its PUBREL may be left, without the payload: an empty queue settles the account.
    const size = queue.count === 0 ? queue.bytes : (cleared.payload?.length ?? 0)
    queue.bytes -= size
    bytes -= size
    if (queue.count === 0) queues.delete(client.id)
    return cleared
  }
}

/** A copy in memory of its own, outside Node's pool. */
function ownBytes(payload: Buffer | string): Buffer | string {
  if (typeof payload === 'string') return payload
  const copy = Buffer.allocUnsafeSlow(payload.length)
  copy.set(payload)
  return copy
}
