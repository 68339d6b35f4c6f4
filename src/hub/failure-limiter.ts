/**
 * Slows down guessing: counts failed authentications per address. A right secret always passes, so that a plant of a
 * thousand devices behind one address enrols unhindered, whatever its neighbours try. Secrets have 256 bits: what the limit
 * saves is work and log, not secrecy.
 */
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { RateTable } from './gcra.ts'
import { sourceOf } from './peer-address.ts'
import type { Clock } from './ports/clock.ts'

export class FailureLimiter {
  readonly #clock: Clock
  readonly #addresses: RateTable

  constructor(clock: Clock) {
    this.#clock = clock
    const burst = limits.authFailuresPerMinuteMax
    this.#addresses = new RateTable({ burst, everyMs: 60_000 / burst }, limits.authFailureAddressesMax)
  }

  /**
   * Counts a failure.
   *
   * @param address as `peerAddress` gives it
   * @throws HubError `rate-limited` when this address has failed too often within a minute
   */
  recordFailure(address: string): void {
    const waitMs = this.#addresses.take(sourceOf(address), this.#clock.nowMs())
    if (waitMs === 0) return
    throw new HubError('rate-limited', `${quote(address)} has failed too often within a minute`, {
      retryAfterSec: Math.ceil(waitMs / 1000),
    })
  }
}
