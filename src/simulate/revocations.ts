/** Devices of a fleet that are revoked while they send, and what became of each. */
import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '../core/errors.ts'
import type { SessionEvent } from './device-session.ts'

export interface RevocationSummary {
  readonly asked: number
  /** Cut off, and refused when they came again. */
  readonly out: number
  /** Milliseconds from asking until the connection was closed: the middle one and the slowest; null without any. */
  readonly closedAfterMs: { readonly median: number; readonly most: number } | null
}

/** Milliseconds between two revocations. */
const pauseMs = 1_000
/** Milliseconds until a revoked device must be out. */
export const outWithinMs = 30_000

interface Case {
  readonly askedAtMs: number
  closedAfterMs: number | null
  isRefused: boolean
}

export class Revocations {
  readonly #cases = new Map<string, Case>()
  readonly #revoke: (id: string) => Promise<void>

  constructor(revoke: (id: string) => Promise<void>) {
    this.#revoke = revoke
  }

  /**
   * Revokes so many, one after the other, until the signal comes.
   *
   * @param choose one that sends and is not revoked, or null when there is none left
   * @returns those that the hub did not revoke, with the reason
   */
  async run(
    count: number,
    choose: () => string | null,
    signal: AbortSignal,
  ): Promise<readonly { id: string; reason: string }[]> {
    const failed: { id: string; reason: string }[] = []
    for (let asked = 0; asked < count; asked += 1) {
      await pause(pauseMs, undefined, { signal }).catch(() => {})
      const id = signal.aborted ? null : choose()
      if (id === null) break
      this.#cases.set(id, { askedAtMs: performance.now(), closedAfterMs: null, isRefused: false })
      try {
        await this.#revoke(id)
      } catch (error) {
        if (!(error instanceof HubError)) throw error
        this.#cases.delete(id)
        failed.push({ id, reason: `it could not be revoked: ${error.message}` })
      }
    }
    return failed
  }

  has(id: string): boolean {
    return this.#cases.has(id)
  }

  /** Notes what concerns a device that was revoked. */
  note(event: SessionEvent): void {
    const known = this.#cases.get(event.id)
    if (known === undefined || (event.kind !== 'lost' && event.kind !== 'refused')) return
    known.closedAfterMs ??= performance.now() - known.askedAtMs
    known.isRefused ||= event.kind === 'refused' && event.isFinal
  }

  /** Forgets a device that went by itself before anybody could see it cut off. */
  gone(id: string): void {
    if (this.#stillIn().some(([each]) => each === id)) this.#cases.delete(id)
  }

  /** Waits until all that were revoked are out, for as long as that may take at most. */
  async settled(signal: AbortSignal): Promise<void> {
    const untilMs = performance.now() + outWithinMs
    while (this.#stillIn().length > 0 && performance.now() < untilMs && !signal.aborted) {
      await pause(50, undefined, { signal }).catch(() => {})
    }
  }

  /** Those that were not kept out, each with what was seen. */
  failures(): readonly { id: string; reason: string }[] {
    return this.#stillIn().map(([id, { closedAfterMs }]) => ({
      id,
      reason:
        closedAfterMs === null
          ? 'it was revoked, and its connection goes on'
          : 'it was revoked and cut off, and nothing refused it since',
    }))
  }

  summary(): RevocationSummary {
    const cases = [...this.#cases.values()]
    const times = cases.flatMap(({ closedAfterMs }) => closedAfterMs ?? []).toSorted((one, other) => one - other)
    const [median, most] = [times[Math.floor(times.length / 2)], times.at(-1)]
    return {
      asked: cases.length,
      out: cases.length - this.#stillIn().length,
      closedAfterMs: median === undefined || most === undefined ? null : { median, most },
    }
  }

  #stillIn(): readonly (readonly [string, Case])[] {
    return [...this.#cases].filter(([, { closedAfterMs, isRefused }]) => closedAfterMs === null || !isRefused)
  }
}
