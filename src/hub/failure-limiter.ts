/**
 * Slows down guessing: counts failed authentications per address. A right secret always passes, so that a plant of a
 * thousand devices behind one address enrols unhindered, whatever its neighbours try. Secrets have 256 bits: what the limit
 * saves is work and log, not secrecy.
 */
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { sourceOf } from './peer-address.ts'
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

  /**
   * Counts a failure.
   *
   * @param address as `peerAddress` gives it
   * @throws HubError `rate-limited` when this address has failed too often within a minute
   */
  recordFailure(address: string): void {
    const tally = this.#tallyOf(sourceOf(address))
    tally.failures += 1
    if (tally.failures <= limits.authFailuresPerMinuteMax) return
    throw new HubError('rate-limited', `${quote(address)} has failed ${tally.failures} times within a minute`)
  }

  #tallyOf(address: string): Tally {
    const nowMs = this.#clock.nowMs()
    const known = this.#tallies.get(address)
    // A clock that was set back must not make a minute last a year.
    if (known !== undefined && Math.abs(nowMs - known.windowStartMs) < windowMs) return known
    // A Map keeps the order of insertion: the first key is the oldest window.
    this.#tallies.delete(address)
    if (this.#tallies.size >= limits.authFailureAddressesMax) {
      const oldest = this.#tallies.keys().next()
      if (oldest.done !== true) this.#tallies.delete(oldest.value)
    }
    const tally = { windowStartMs: nowMs, failures: 0 }
    this.#tallies.set(address, tally)
    return tally
  }
}
