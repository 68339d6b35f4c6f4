/**
 * The generic cell rate algorithm (ITU-T I.371): a rate with a burst, in one number a key.
 *
 * For each key it keeps the time at which the key's account is even again. Taking moves that time on by one step; a key may
 * run ahead of the clock by its burst. Nothing is counted in windows, so there is no moment at which a limit starts anew, and
 * what a refused key has to wait is known exactly.
 */

/** How often something may happen. */
export interface Rate {
  /** So many at once, after a time without any. At least 1. */
  readonly burst: number
  /** And then one in this time, in milliseconds. */
  readonly everyMs: number
}

/** A bounded table of keys that share one rate. Time is passed in; a key that is not known has its whole burst. */
export class RateTable {
  readonly #rate: Rate
  readonly #keysMax: number
  /** When the account of a key is even, in milliseconds since the epoch; the key that was taken from longest ago is first. */
  readonly #evenAtMs = new Map<string, number>()

  /** @param keysMax how many keys are remembered; past it those are forgotten that were taken from longest ago */
  constructor(rate: Rate, keysMax: number) {
    this.#rate = rate
    this.#keysMax = keysMax
  }

  /** Keys that are remembered, never more than the table was made for. */
  get size(): number {
    return this.#evenAtMs.size
  }

  /**
   * Takes one, if the rate allows it. A refusal takes nothing: whoever goes on asking is not pushed further back.
   *
   * @returns 0 when it was taken, else the milliseconds after which the same key may take one
   */
  take(key: string, nowMs: number): number {
    const waitMs = this.waitMs(key, nowMs)
    if (waitMs > 0) return waitMs
    const evenAtMs = Math.max(this.#known(key, nowMs), nowMs) + this.#rate.everyMs
    this.#evenAtMs.delete(key)
    this.#makeRoom(nowMs)
    this.#evenAtMs.set(key, evenAtMs)
    return 0
  }

  /** Takes one back: the account is even one step sooner. */
  giveBack(key: string, nowMs: number): void {
    if (!this.#evenAtMs.has(key)) return
    const evenAtMs = this.#known(key, nowMs) - this.#rate.everyMs
    if (evenAtMs > nowMs) this.#evenAtMs.set(key, evenAtMs)
    else this.#evenAtMs.delete(key)
  }

  /** What `take` would answer; nothing is taken. */
  waitMs(key: string, nowMs: number): number {
    const { burst, everyMs } = this.#rate
    return Math.max(0, this.#known(key, nowMs) - nowMs - (burst - 1) * everyMs)
  }

  /** No account runs ahead by more than the burst: one that does was written before the clock was set back. */
  #known(key: string, nowMs: number): number {
    const { burst, everyMs } = this.#rate
    const evenAtMs = this.#evenAtMs.get(key) ?? nowMs
    const furthestMs = nowMs + burst * everyMs
    if (evenAtMs <= furthestMs) return evenAtMs
    this.#evenAtMs.set(key, furthestMs)
    return furthestMs
  }

  #makeRoom(nowMs: number): void {
    if (this.#evenAtMs.size < this.#keysMax) return
    // A key whose account is even is as good as unknown. A few at a time, so that no request pays for all of them.
    let looked = 0
    for (const [key, evenAtMs] of this.#evenAtMs) {
      looked += 1
      if (evenAtMs <= nowMs || this.#evenAtMs.size >= this.#keysMax) this.#evenAtMs.delete(key)
      if (looked === keysLookedAtMax) return
    }
  }
}

const keysLookedAtMax = 16
