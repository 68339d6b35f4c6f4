/**
 * Slows down guessing: counts failed authentications per address. Only failures count, so that a plant of a thousand
 * devices behind one address enrols unhindered.
 */
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Clock } from './ports/clock.ts'

const windowMs = 60_000

interface Tally {
  windowStartMs: number
  failures: number
}

export class FailureLimiter {
  readonly #clock: Clock
  readonly #tallies = new Map<string, Tally>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws HubError `rate-limited` when the address has failed too often within a minute */
  assertMayTry(address: string): void {
    const tally = this.#tallies.get(address)
    if (tally === undefined || this.#clock.nowMs() - tally.windowStartMs >= windowMs) return
    if (tally.failures < limits.authFailuresPerMinuteMax) return
    throw new HubError('rate-limited', `${quote(address)} has failed ${tally.failures} times within a minute`)
  }

  recordFailure(address: string): void {
    const nowMs = this.#clock.nowMs()
    const tally = this.#tallies.get(address)
    if (tally !== undefined && nowMs - tally.windowStartMs < windowMs) {
      tally.failures += 1
      return
    }
    // A Map keeps the order of insertion: the first key is the oldest window.
    this.#tallies.delete(address)
    if (this.#tallies.size >= limits.authFailureAddressesMax) {
      const oldest = this.#tallies.keys().next()
      if (oldest.done !== true) this.#tallies.delete(oldest.value)
    }
    this.#tallies.set(address, { windowStartMs: nowMs, failures: 1 })
  }
}
