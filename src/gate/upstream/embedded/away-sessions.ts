import { brokerLimits } from './broker-limits.ts'

/** What Aedes does not do for MQTT 3: it keeps a session whose client is away for ever, and any number of them. */
export class AwaySessions {
  /** When each was left, in milliseconds of the process; the oldest first. */
  readonly #leftAt = new Map<string, number>()
  readonly #forget: (clientId: string) => void

  /** @param forget removes all that the broker keeps for a client */
  constructor(forget: (clientId: string) => void) {
    this.#forget = forget
  }

  leave(clientId: string, now: number): void {
    this.#leftAt.delete(clientId)
    // The newest is refused, not the oldest evicted: nobody can push others out by leaving sessions behind.
    if (this.#leftAt.size >= brokerLimits.awaySessionsMax) this.#forget(clientId)
    else this.#leftAt.set(clientId, now)
  }

  comeBack(clientId: string): void {
    this.#leftAt.delete(clientId)
  }

  /** Forgets the sessions whose time is over. */
  expire(now: number): void {
    for (const [clientId, leftAt] of this.#leftAt) {
      if (now - leftAt < brokerLimits.sessionExpirySecMax * 1_000) return
      this.#leftAt.delete(clientId)
      this.#forget(clientId)
    }
  }
}
