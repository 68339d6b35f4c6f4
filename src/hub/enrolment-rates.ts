/**
 * How often one token and one identity may ask for certificates. Only what has proved itself is counted here, each for itself:
 * a device that asks in a loop slows down itself and nobody beside it, behind the same address or not. Who proves nothing is
 * the matter of `failure-limiter.ts`.
 */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { limits } from '../core/limits.ts'
import { RateTable } from './gcra.ts'
import type { Clock } from './ports/clock.ts'

export class EnrolmentRates {
  readonly #clock: Clock
  readonly #askers: RateTable

  constructor(clock: Clock) {
    this.#clock = clock
    const rate = { burst: limits.enrolmentsAtOnceMax, everyMs: limits.enrolmentEveryMs }
    this.#askers = new RateTable(rate, limits.enrolmentAskersMax)
  }

  /** @param tokenId of a token whose secret was right. @throws HubError `enrolments-too-many` */
  ofToken(tokenId: string): void {
    this.#take(`token:${tokenId}`, 'this token')
  }

  /** @param id of whoever showed a certificate that was admitted. @throws HubError `enrolments-too-many` */
  ofIdentity(id: IdentityId): void {
    this.#take(`identity:${id}`, quote(id))
  }

  #take(key: string, who: string): void {
    const waitMs = this.#askers.take(key, this.#clock.nowMs())
    if (waitMs === 0) return
    const retryAfterSec = Math.ceil(waitMs / 1000)
    throw new HubError('enrolments-too-many', `${who} has asked too often; next in ${retryAfterSec} s`, {
      retryAfterSec,
    })
  }
}
