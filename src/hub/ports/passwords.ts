/** Passwords of identities, kept as hashes. */
import type { IdentityId } from '../../core/identity/id.ts'
import type { IdentityState } from '../../core/identity/identity.ts'
import type { Password, PasswordState } from '../../core/identity/password.ts'

/** What of a password decides whether a session on it may live. */
export interface PasswordStatus {
  readonly id: string
  readonly state: PasswordState
  readonly identityState: IdentityState
}

export interface PasswordReader {
  find(id: string): Promise<Password | null>
  /** Those of an identity that are not ended, oldest first. */
  standingOf(identityId: IdentityId): Promise<readonly Password[]>
  /** All of an identity, newest first, at most `limits.pageRowsMax`. */
  listOfIdentity(identityId: IdentityId): Promise<readonly Password[]>
  /** Superseded ones whose overlap was over at a time, at most `limit`. */
  overAt(atMs: number, limit: number): Promise<readonly Password[]>
  /** Those of the passwords that are known, in no order; at most `limits.bulkRowsMax` ids. */
  statusOf(ids: readonly string[]): Promise<readonly PasswordStatus[]>
}

export interface Passwords extends PasswordReader {
  insert(password: Password): Promise<void>
  /** Writes state and dates; hash and salt never change. */
  update(password: Password): Promise<void>
}
