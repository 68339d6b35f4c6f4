/** Rows that say who may do what, and what may be asked for: profiles, API keys, roles. */
import type { Role } from '../../core/authorisation/role.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Page, PageQuery } from './page.ts'

/** A profile that an operator has written. */
export interface ProfileRow {
  readonly name: string
  /** Its definition as JSON. */
  readonly definition: string
  readonly version: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
}
export interface ProfileReader {
  find(name: string): Promise<ProfileRow | null>
  /** Ascending by name. */
  all(): Promise<readonly ProfileRow[]>
  /** Whether an identity that is not retired is granted it. */
  isGranted(name: string): Promise<boolean>
  /**
   * Whether there is a certificate of an operator's own profile that could open a door now or after an adoption.
   *
   * @param nowSec certificates that ended before it do not count
   */
  hasLiving(name: string, nowSec: number): Promise<boolean>
}
export interface Profiles extends ProfileReader {
  insert(row: ProfileRow): Promise<void>
  update(row: ProfileRow): Promise<void>
  remove(name: string): Promise<void>
}

export interface ApiKeyRow {
  /** 16 lower-case hexadecimal characters. */
  readonly id: string
  readonly name: string
  /** SHA-256 of the secret. */
  readonly secretHash: Uint8Array
  readonly role: Role
  /** Where the role holds; empty for a role that knows no groups. */
  readonly groups: readonly string[]
  /** Whether a requester may register new devices there. */
  readonly mayRegister: boolean
  readonly createdAtMs: number
  /** Null for a key that does not end. */
  readonly expiresAtMs: number | null
}
export interface ApiKeyReader {
  find(id: string): Promise<ApiKeyRow | null>
  /** The oldest of that name; use cases see to it that there is one at most. */
  named(name: string): Promise<ApiKeyRow | null>
  /** Ascending by id. */
  list(query: PageQuery): Promise<Page<ApiKeyRow>>
}
export interface ApiKeys extends ApiKeyReader {
  insert(key: ApiKeyRow): Promise<void>
  /** Removes all keys of that name and answers their ids. */
  removeNamed(name: string): Promise<readonly string[]>
  /** False when there is none of that id. */
  remove(id: string): Promise<boolean>
}

/** A role that a person has, in one group or everywhere. */
export interface RoleGrantRow {
  readonly identityId: IdentityId
  readonly role: Role
  /** Null for a role that knows no groups. */
  readonly group: string | null
  /** Whether a requester may register new devices there. */
  readonly mayRegister: boolean
}
export interface RoleGrantReader {
  ofIdentity(id: IdentityId): Promise<readonly RoleGrantRow[]>
  all(query: PageQuery): Promise<Page<RoleGrantRow>>
}
export interface RoleGrants extends RoleGrantReader {
  /** False, and nothing is changed, when the person has the role there already. */
  insert(grant: RoleGrantRow): Promise<boolean>
  /** False when there is none. */
  remove(grant: Pick<RoleGrantRow, 'identityId' | 'role' | 'group'>): Promise<boolean>
}
