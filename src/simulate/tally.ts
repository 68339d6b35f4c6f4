/** What a fleet has done, counted as it happens. */
import { createHistogram } from 'node:perf_hooks'
import type { SimulationEvent } from './simulate.ts'

export interface Times {
  /** Milliseconds. */
  readonly median: number
  readonly p99: number
}

export interface Counts {
  readonly enrolled: number
  /** Sessions that are open now. */
  readonly connected: number
  readonly sent: number
  readonly renewals: number
  readonly renewalsFailed: number
  /** Connections that were lost, by devices that nobody had revoked. */
  readonly lost: number
}

export class Tally {
  #enrolled = 0
  #sent = 0
  #renewals = 0
  #renewalsFailed = 0
  #lost = 0
  readonly #connected = new Set<string>()
  /** Those that have enrolled and were never let in, each with what stood in the way last. */
  readonly #outside = new Map<string, string>()
  /** Microseconds. */
  readonly #acknowledged = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 })

  /** @param isRevoked whether somebody has revoked the device: what it loses then is no loss */
  note(event: SimulationEvent, isRevoked: boolean): void {
    switch (event.kind) {
      case 'enrolled':
        this.#enrolled += 1
        this.#outside.set(event.id, 'there was no time')
        break
      case 'connected':
        this.#connected.add(event.id)
        this.#outside.delete(event.id)
        break
      case 'sent':
        this.#sent += 1
        this.#acknowledged.record(Math.max(1, Math.round(event.acknowledgedMs * 1_000)))
        break
      case 'renewed':
        this.#renewals += 1
        break
      case 'renewal-failed':
        this.#renewalsFailed += isRevoked ? 0 : 1
        break
      case 'lost':
        this.#lost += this.#connected.delete(event.id) && !isRevoked ? 1 : 0
        if (this.#outside.has(event.id)) this.#outside.set(event.id, event.reason)
        break
      case 'refused':
        this.#connected.delete(event.id)
        if (this.#outside.has(event.id)) this.#outside.set(event.id, event.reason)
        break
      case 'enrolment-failed':
        break
    }
  }

  counts(): Counts {
    return {
      enrolled: this.#enrolled,
      connected: this.#connected.size,
      sent: this.#sent,
      renewals: this.#renewals,
      renewalsFailed: this.#renewalsFailed,
      lost: this.#lost,
    }
  }

  /** Devices that were never let in, and why. */
  outside(): readonly { readonly id: string; readonly reason: string }[] {
    return [...this.#outside].map(([id, reason]) => ({ id, reason: `it was never let in: ${reason}` }))
  }

  /** From sending a reading to its acknowledgement; null without any. */
  acknowledged(): Times | null {
    if (this.#sent === 0) return null
    return {
      median: this.#acknowledged.percentile(50) / 1_000,
      p99: this.#acknowledged.percentile(99) / 1_000,
    }
  }
}
