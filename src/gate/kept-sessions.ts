/**
 * What the gate remembers of sessions that a broker keeps while their clients are away: their filters, and the messages of
 * QoS 2 that wait for their release. A client that comes back brings neither, and its rights may have changed meanwhile.
 *
 * It is a memory of this process, and bounded. What it has forgotten, or what another gate process has seen, is unknown here:
 * then each delivered message is judged in place of the filter that brought it (see `SubscriptionGuard`).
 */
import { limits } from '../core/limits.ts'
import type { TopicFilter } from '../core/mqtt/filter.ts'
import type { Unreleased } from './unreleased.ts'

export interface KeptSession {
  readonly filters: readonly TopicFilter[]
  readonly unreleased: Unreleased
}

interface Entry {
  readonly owner: string
  readonly clientId: string
  readonly session: KeptSession
  readonly bytes: number
}

/** About what one entry takes beside its texts. */
const ENTRY_BYTES = 512
const TEXT_BYTES = 64

export class KeptSessions {
  /** By owner, then by client id; at both levels who left longest ago comes first. */
  readonly #byOwner = new Map<string, Map<string, Entry>>()
  readonly #bytesMax: number
  #bytes = 0

  /** @param bytesMax of memory, about */
  constructor(bytesMax: number = limits.keptSessionsBytesMax) {
    this.#bytesMax = bytesMax
  }

  /** A client has gone whose session may be kept. */
  keep(owner: string, clientId: string, session: KeptSession): void {
    this.forget(owner, clientId)
    let bytes = ENTRY_BYTES + 2 * (owner.length + clientId.length)
    for (const filter of session.filters) bytes += TEXT_BYTES + 2 * filter.length
    for (const { topic, responseTopic } of session.unreleased.messages())
      bytes += 2 * (topic.length + (responseTopic?.length ?? 0))
    bytes += TEXT_BYTES * session.unreleased.size
    const ofOwner = this.#byOwner.get(owner) ?? new Map<string, Entry>()
    this.#byOwner.delete(owner)
    this.#byOwner.set(owner, ofOwner)
    ofOwner.set(clientId, { owner, clientId, session, bytes })
    this.#bytes += bytes
    // An identity that comes under ever new client ids pushes out its own sessions, not those of others.
    if (ofOwner.size > limits.sessionsPerIdentityMax) this.#forgetOldest(ofOwner)
    for (const other of this.#byOwner.values()) {
      if (this.#bytes <= this.#bytesMax) break
      this.#forgetOldest(other)
    }
  }

  /** What is known of a session; null where that is nothing. */
  find(owner: string, clientId: string): KeptSession | null {
    return this.#byOwner.get(owner)?.get(clientId)?.session ?? null
  }

  forget(owner: string, clientId: string): void {
    const ofOwner = this.#byOwner.get(owner)
    const entry = ofOwner?.get(clientId)
    if (ofOwner === undefined || entry === undefined) return
    this.#bytes -= entry.bytes
    ofOwner.delete(clientId)
    if (ofOwner.size === 0) this.#byOwner.delete(owner)
  }

  #forgetOldest(ofOwner: ReadonlyMap<string, Entry>): void {
    const [oldest] = ofOwner.values()
    if (oldest !== undefined) this.forget(oldest.owner, oldest.clientId)
  }
}
