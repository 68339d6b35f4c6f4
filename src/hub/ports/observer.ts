/**
 * What the parts of a hub tell about their work as it happens, for whoever counts it. Telling costs next to nothing, never
 * throws and is not waited for. What is true at any moment is read instead: see `figures.ts`.
 */
import type { Act } from '../../core/authorisation/act.ts'
import type { Refusal } from '../../core/authorisation/decide.ts'
import type { FailureName } from '../../core/failure/catalogue.ts'
import type { Action } from '../../core/policy/rights.ts'
import type { NewAttempt } from './attempts.ts'

/** Why a session is over. */
export type SessionEnd = FailureName | 'client-disconnect'

/**
 * What became of a request for a certificate: `repeated` is the answer that was given before, `refused` is about the
 * request, `failed` about the hub.
 */
export type IssuanceOutcome = 'issued' | 'repeated' | 'refused' | 'failed'

export type RenewalOutcome = 'renewed' | 'refused' | 'failed'

/** Why the registry did not take a unit of work. */
export type WriteRefusal = 'database' | 'queue-full' | 'closed'

export interface Observer {
  /** An attempt has come to its outcome, whether it is kept or not. */
  attempt(attempt: Pick<NewAttempt, 'listener' | 'outcome' | 'stage' | 'code'>): void
  /** An attempt was not kept, because there were too many. */
  attemptDropped(): void
  /** A session that had begun is over. */
  sessionEnded(cause: SessionEnd): void
  /** A packet of a session was denied by the policy, and the session goes on. */
  packetDenied(code: FailureName): void
  /** The version of the policy that is tried in the shadow would have decided otherwise. */
  shadowDiffered(action: Action, would: 'allow' | 'deny'): void
  issuance(profile: string, outcome: IssuanceOutcome): void
  /** A request to enrol was not answered with a certificate. */
  enrolmentRefused(code: FailureName): void
  /** The holder of a certificate asked for its successor. */
  renewal(profile: string, outcome: RenewalOutcome): void
  /** Two keys ask to follow one certificate. */
  renewalContested(profile: string): void
  /**
   * A target has applied a revocation.
   *
   * @param target `gate`, `crl` or the name of a connector: few, and chosen by the operator at most
   * @param afterMs time since the act of revocation
   */
  revocationApplied(target: string, afterMs: number): void
  /** Somebody who is known asked the admin API for what they may not do. */
  actRefused(act: Act, why: Refusal): void
  /** A transaction of the registry is on disk. */
  committed(units: number, durationMs: number): void
  /** So many units of work were refused by the registry. */
  writesRefused(units: number, reason: WriteRefusal): void
}

/** For a hub that nobody counts. */
export const silentObserver: Observer = {
  attempt() {},
  attemptDropped() {},
  sessionEnded() {},
  packetDenied() {},
  shadowDiffered() {},
  issuance() {},
  enrolmentRefused() {},
  renewal() {},
  renewalContested() {},
  revocationApplied() {},
  actRefused() {},
  committed() {},
  writesRefused() {},
}
