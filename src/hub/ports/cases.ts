import type { FailureName } from '../../core/failure/catalogue.ts'
import type { NewAttempt } from './attempts.ts'
import type { Page, PageQuery } from './page.ts'

/**
 * Who was refused: an identity that was proved, else the certificate that was shown, by its fingerprint, else the network that
 * it came from, as limits count it.
 */
export interface Party {
  readonly kind: 'identity' | 'certificate' | 'network'
  readonly name: string
}

/** A party with what it has shown. */
export interface ShownParty extends Party {
  /** Subject of the certificate of its newest refusal, or null; a stranger may have written it. */
  readonly subject: string | null
}

/** What is new of a case: refusals of one party for one cause on one listener. */
export interface NewRefusals {
  readonly party: Party
  /** Of the certificate, where the cause is about certificates and another name than its own stands there. */
  readonly issuer: string | null
  readonly code: FailureName
  readonly count: number
  readonly firstAtMs: number
  /** The newest of them. */
  readonly last: NewAttempt
}

/** All refusals of one party for one cause on one listener, as one. */
export interface AttemptCase extends NewRefusals {
  /** Counted from 1, in the order in which cases were opened. */
  readonly number: number
  /** When the party was admitted on this listener after the last of them, or null. */
  readonly admittedAtMs: number | null
}

export interface CaseQuery extends PageQuery {
  readonly identityId?: string
  readonly code?: FailureName
  readonly listener?: string
  /** Only those whose last refusal is not older. */
  readonly lastFromMs?: number
  /** Only those whose party has not been admitted since. */
  readonly standing?: boolean
  /** Only those of devices and services that are in these groups now, at most `limits.groupsReachedMax`. */
  readonly inGroups?: readonly string[]
}

/** What is common to cases that differ in their party alone. */
export interface Trouble {
  readonly listener: string
  readonly code: FailureName
  readonly issuer: string | null
}

/** How many parties it has. */
export interface PartyCounts {
  readonly identities: number
  readonly certificates: number
  readonly networks: number
}

/** What refuses several parties now. */
export interface SharedTrouble extends Trouble {
  readonly parties: PartyCounts
  /** How many of them had their first refusal lately. */
  readonly newcomers: number
  readonly lastAtMs: number
}

export interface SharedTroubleQuery {
  /** Cases whose last refusal is older do not count. */
  readonly lastFromMs: number
  /** Cases whose first refusal is not older are newcomers. */
  readonly firstFromMs: number
  /** Causes that are left out. */
  readonly codesLeftOut: readonly FailureName[]
  /** With fewer parties it is not told; at least 1. */
  readonly partiesMin: number
  /** 1 to `limits.pageRowsMax`. */
  readonly limit: number
}

export interface CaseReader {
  /**
   * Newest refusal first. For one page no more than `limits.pageRowsReadMax` rows are looked at. What is refused again meanwhile
   * may be seen twice or not.
   *
   * @throws HubError `cursor-invalid`
   */
  list(query: CaseQuery): Promise<Page<AttemptCase>>
  /** Of cases whose party has not been admitted since: those with the most identities first, and then with the most parties. */
  shared(query: SharedTroubleQuery): Promise<readonly SharedTrouble[]>
  /** Parties of a trouble that have not been admitted since, those of the newest refusals first, at most `limit`. */
  partiesOf(trouble: Trouble, lastFromMs: number, limit: number): Promise<readonly ShownParty[]>
}

export interface Cases extends CaseReader {
  /**
   * Adds refusals to the cases that there are, and opens the others. A case that was quiet for `limits.caseQuietMs` begins anew. At most
   * `limits.bulkRowsMax`, no two of one case.
   */
  addAll(refusals: readonly NewRefusals[]): Promise<void>
  /** Parties were admitted on a listener; at most `limits.bulkRowsMax`, of whatever kind. */
  admitted(listener: string, parties: readonly Party[], atMs: number): Promise<void>
  /** Keeps the newest cases of identities, and those of others. */
  keepNewest(identities: number, others: number): Promise<void>
}
