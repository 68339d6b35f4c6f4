/** What renewal remembers beside the credentials: who has contested one, and who was called to renew. */
import type { SerialNumber } from '../../core/identity/credential.ts'
import type { IdentityId } from '../../core/identity/id.ts'

/** Two keys have asked to follow one credential. */
export interface RenewalContest {
  readonly identityId: IdentityId
  /** The credential that both showed. */
  readonly parentSerial: SerialNumber
  /** The one that was given to the earlier key. */
  readonly rivalSerial: SerialNumber
  /** The one that was given to the later key. */
  readonly serialNumber: SerialNumber
  readonly atMs: number
}

/** Whose certificates are called: one identity's, a group's, or all of an authority. */
export type RenewalScope =
  | { readonly kind: 'identity'; readonly id: IdentityId }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'authority'; readonly authorityId: string }

export interface RenewalReader {
  /** The contests of an identity, newest first, at most `limit`. */
  contestsOf(id: IdentityId, limit: number): Promise<readonly RenewalContest[]>
  /** How many there were at or after a time. */
  contestsSince(atMs: number): Promise<number>
  /** When one of the scopes was called last, or null. */
  calledAtMs(scopes: readonly RenewalScope[]): Promise<number | null>
}

export interface Renewals extends RenewalReader {
  insertContest(contest: RenewalContest): Promise<void>
  /** Calls a scope: certificates that were issued before are due. */
  call(scope: RenewalScope, atMs: number): Promise<void>
}
