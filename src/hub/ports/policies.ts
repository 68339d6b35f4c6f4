/** The versions of the policy. */

import type { PolicyState } from '../../core/policy/state.ts'

/** A version without its file, which is long. */
export interface PolicyVersion {
  /** Counted from 1. */
  readonly number: number
  readonly state: PolicyState
  readonly createdAtMs: number
  /** As in the audit log. */
  readonly createdBy: string
  /** What its author says of it, may be empty. */
  readonly note: string
  readonly changedAtMs: number
  /** When it was last made active; null where it never was. */
  readonly activatedAtMs: number | null
}

export interface PolicyRow extends PolicyVersion {
  /** The policy file as it was given. */
  readonly source: string
}

export interface PolicyReader {
  find(number: number): Promise<PolicyRow | null>
  /** The one in that state, the newest where there are several; null where there is none. */
  inState(state: PolicyState): Promise<PolicyRow | null>
  /** All that are kept, newest first. */
  all(): Promise<readonly PolicyVersion[]>
}

export interface Policies extends PolicyReader {
  /** @returns the row with its number */
  insert(row: Omit<PolicyRow, 'number'>): Promise<PolicyRow>
  /** Writes state, times and nothing else. */
  update(row: PolicyVersion): Promise<void>
  remove(number: number): Promise<void>
}
