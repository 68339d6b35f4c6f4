/** Rows of the authorities themselves, and of their changes. */
import type { Fingerprint } from '../../core/identity/credential.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { AuthorityKeyType } from '../../core/x509/authority-key.ts'
import type { RollOverState } from '../roll-over/states.ts'

export interface AuthorityRow {
  /** Also the name of its key: lower-case letters, digits and "-". */
  readonly id: string
  readonly role: 'root' | 'issuing'
  /** The hierarchy that it belongs to: `main`, `rsa`, or what an operator has called it. */
  readonly chain: string
  readonly keyType: AuthorityKeyType
  /** The authority that has signed `certificate`; null for a root of ours, and for one below somebody else's root. */
  readonly parentId: string | null
  readonly state: AuthorityState
  /** `offline`: the key is not here, so it signs nothing until it is brought back. */
  readonly keyPlace: 'hub' | 'offline'
  readonly certificate: Uint8Array
  readonly createdAtMs: number
}

/**
 * `prepared` is known and signs nothing yet; `active` signs what is new; `previous` signs only its CRLs and OCSP responders,
 * and is trusted; `retired` is neither.
 */
export const authorityStates = ['prepared', 'active', 'previous', 'retired'] as const
export type AuthorityState = (typeof authorityStates)[number]

export interface AuthorityReader {
  /** In order of creation. */
  all(): Promise<readonly AuthorityRow[]>
  /** In order of creation. */
  crossCertificates(): Promise<readonly CrossCertificate[]>
}
export interface Authorities extends AuthorityReader {
  insert(authority: AuthorityRow): Promise<void>
  /** Writes state, place of the key, parent and certificate, which a foreign root may replace. */
  update(authority: AuthorityRow): Promise<void>
  insertCross(certificate: CrossCertificate): Promise<void>
}

/** A certificate for the key of one authority that another one has signed, so that who trusts that one trusts this one. */
export interface CrossCertificate {
  readonly fingerprint: Fingerprint
  readonly subjectId: string
  readonly issuerId: string
  readonly certificate: Uint8Array
  readonly createdAtMs: number
}

/** A change of an authority for another one, as far as it has come. */
export interface RollOverRow {
  /** 16 lower-case hexadecimal characters. */
  readonly id: string
  readonly role: AuthorityRow['role']
  readonly chain: string
  readonly fromId: string
  readonly toId: string
  readonly state: RollOverState
  readonly isPaused: boolean
  /** How many of a hundred devices must be known to trust the new root before the cut. */
  readonly sharePercent: number
  readonly startedAtMs: number
  readonly changedAtMs: number
}
export interface RollOverReader {
  /** Newest first. */
  all(): Promise<readonly RollOverRow[]>
  /** How many identities are known to trust a root. */
  acknowledged(rootId: string): Promise<number>
  /** How many devices are active, and how many of these are known to trust a root. */
  standing(rootId: string): Promise<{ readonly devices: number; readonly acknowledged: number }>
  /** Active devices that are not known to trust a root, the first in ascending order of id. */
  unknown(rootId: string, limit: number): Promise<readonly IdentityId[]>
  hasAcknowledged(rootId: string, id: IdentityId): Promise<boolean>
}
export interface RollOvers extends RollOverReader {
  insert(row: RollOverRow): Promise<void>
  /** Writes state, pause, share and time. */
  update(row: RollOverRow): Promise<void>
  /** @param how `fetch` or `handshake`. False when it was known already. */
  acknowledge(rootId: string, id: IdentityId, how: string, atMs: number): Promise<boolean>
}
