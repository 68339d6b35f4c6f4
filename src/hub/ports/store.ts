/**
 * The registry as the hub sees it: one small port per kind of row, a read side that answers outside a transaction, and one
 * way to write. Adapters live in `store/` and pass the contract suite in `test/contract/store/`.
 */

import type { Credential, CredentialState, Fingerprint, SerialNumber } from '../../core/identity/credential.ts'
import type { IdentityId, IdentityKind } from '../../core/identity/id.ts'
import type { Identity, IdentityState } from '../../core/identity/identity.ts'
import type { Token } from '../../core/identity/token.ts'
import type { CrlReason } from '../../core/x509/crl.ts'
import type { AnchorReader, Anchors } from './anchors.ts'
import type { Attempt, AttemptQuery, NewAttempt } from './attempts.ts'
import type { AuditEntry, AuditHead, NewAuditEntry } from './audit.ts'
import type { Authorities, AuthorityReader, RollOverReader, RollOvers } from './authorities.ts'
import type { CaseReader, Cases } from './cases.ts'
import type { CrlReader, Crls } from './crls.ts'
import type { EnrolmentRequestReader, EnrolmentRequests } from './enrolment-requests.ts'
import type { HubEvent, NewHubEvent } from './events.ts'
import type { StoreHealth } from './figures.ts'
import type { ApiKeyReader, ApiKeys, ProfileReader, Profiles, RoleGrantReader, RoleGrants } from './grants.ts'
import type { IncidentReader, Incidents } from './incidents.ts'
import type { Page, PageQuery } from './page.ts'
import type { PasswordReader, Passwords } from './passwords.ts'
import type { PinReader, Pins } from './pins.ts'
import type { Policies, PolicyReader } from './policies.ts'
import type { RenewalReader, Renewals } from './renewals.ts'

export interface IdentityQuery extends PageQuery {
  readonly kind?: IdentityKind
  readonly state?: IdentityState
  readonly group?: string
  /** Ids that begin with it; the form of an id. */
  readonly idPrefix?: string
  /** Attributes that have these values, at most `limits.attributeFiltersMax`. */
  readonly attributes?: Readonly<Record<string, string>>
  /** Only devices and services of these groups, at most `limits.groupsReachedMax`: what an owner may see. */
  readonly inGroups?: readonly string[]
}

export interface IdentityReader {
  find(id: IdentityId): Promise<Identity | null>
  /** Those of the ids that are taken, in no order; at most `limits.bulkRowsMax` ids. */
  findAll(ids: readonly IdentityId[]): Promise<readonly Identity[]>
  /**
   * In ascending order of id (code points). For one page no more than `limits.pageRowsReadMax` rows are looked at: where
   * several filters leave little of them, it has fewer rows than asked for, even none, and goes on with `next`.
   *
   * @throws HubError `cursor-invalid`
   */
  list(query: IdentityQuery): Promise<Page<Identity>>
}
export interface Identities extends IdentityReader {
  /** @throws HubError `identity-exists`, also where the id belongs to a retired identity */
  insert(identity: Identity): Promise<void>
  /** The same for many, all or none; at most `limits.bulkRowsMax`. */
  insertAll(identities: readonly Identity[]): Promise<void>
  update(identity: Identity): Promise<void>
}

/** What stands in a CRL for one certificate. */
export interface RevokedCertificate {
  readonly serialNumber: SerialNumber
  readonly revokedAtMs: number
  readonly reason: CrlReason
}

/** What of a credential says whether it is good. */
export type CredentialStatus = Pick<Credential, 'state' | 'issuedAtMs' | 'revokedAtMs' | 'revocationReason'>

/** Where a list of revoked certificates goes on. */
export interface RevokedPlace {
  readonly notAfterSec: number
  readonly number: number
}

export interface RevokedQuery {
  readonly authorityId: string
  /** Those that name this shard, or null for those that name the full CRL. */
  readonly shard: number | null
  /** Only what ended at or after this second. */
  readonly notAfterSec: number
  /** The `next` of the page before, or null for the first. */
  readonly after: RevokedPlace | null
  /** 1 to `limits.pageRowsMax`. */
  readonly limit: number
}

export interface CredentialQuery extends PageQuery {
  readonly identityId?: IdentityId
  readonly profile?: string
  readonly state?: CredentialState
  /** By the last good second; included. */
  readonly endsFromSec?: number
  /** Not included. */
  readonly endsBeforeSec?: number
  /** Only those of devices and services that are in these groups now, at most `limits.groupsReachedMax`. */
  readonly inGroups?: readonly string[]
}

export interface CredentialReader {
  find(fingerprint: Fingerprint): Promise<Credential | null>
  /** Those of the credentials that there are, in no order; at most `limits.bulkRowsMax` fingerprints. */
  findAll(fingerprints: readonly Fingerprint[]): Promise<readonly Credential[]>
  /** A serial number is unique below one authority; every authority of a hub draws from 2^158, so one answer is enough. */
  findBySerial(serialNumber: SerialNumber): Promise<Credential | null>
  /**
   * Newest first. For one page no more than `limits.pageRowsReadMax` rows are looked at: where filters leave little of them, it
   * has fewer rows than asked for, even none, and goes on with `next`.
   *
   * @throws HubError `cursor-invalid`
   */
  list(query: CredentialQuery): Promise<Page<Credential>>
  /** Of the certificate with that serial number that this authority has issued, or will: without its bytes, which are many. */
  status(authorityId: string, serialNumber: SerialNumber): Promise<CredentialStatus | null>
  /** All credentials of one identity, newest first. */
  listOfIdentity(id: IdentityId, query: PageQuery): Promise<Page<Credential>>
  /** The credentials of an identity that are in one of the states, oldest first. */
  ofIdentityIn(id: IdentityId, states: readonly CredentialState[]): Promise<readonly Credential[]>
  /** The unadopted credentials of several identities, oldest first; at most `limits.bulkRowsMax` ids. */
  unadoptedOf(ids: readonly IdentityId[]): Promise<readonly Credential[]>
  /** The credentials that were issued for a token, oldest first. */
  ofToken(tokenId: string): Promise<readonly Credential[]>
  /** The credentials that the holder of this one asked for with it, oldest first. */
  childrenOf(serialNumber: SerialNumber): Promise<readonly Credential[]>
  /** The credentials of an identity that were made for one key, oldest first, whatever their state. */
  ofKey(id: IdentityId, publicKeyHash: string): Promise<readonly Credential[]>
  /**
   * The lineage that begins with some credentials: these and all that descend from them, over any number of renewals, but for
   * those that are revoked already. Oldest first; at most `limits.bulkRowsMax` serial numbers.
   */
  lineageOf(serialNumbers: readonly SerialNumber[]): Promise<readonly Fingerprint[]>
  /** Oldest first: those in one of the states that were issued before a time, at most `limit`. */
  issuedBefore(states: readonly CredentialState[], issuedAtMs: number, limit: number): Promise<readonly Credential[]>
  /**
   * Oldest first: renewed credentials of a profile that were issued before a time and never used, pending or quarantined, at
   * most `limit`.
   */
  waitingSince(profile: string, issuedAtMs: number, limit: number): Promise<readonly Credential[]>
  /** Oldest first: those superseded before a time and not revoked or expired since, at most `limit`. */
  supersededBefore(supersededAtMs: number, limit: number): Promise<readonly Credential[]>
  /**
   * A part of a CRL: what is revoked, and what is on hold because it is quarantined or unadopted, by its end. A page is full
   * unless it is the last. What changes meanwhile may be in it or not.
   */
  revoked(query: RevokedQuery): Promise<{
    readonly items: readonly RevokedCertificate[]
    readonly next: RevokedPlace | null
  }>
  /**
   * Those of the credentials that must not connect because of their state or that of their identity, in no order; at most
   * `limits.bulkRowsMax` fingerprints. Dates are not looked at.
   */
  unfit(fingerprints: readonly Fingerprint[]): Promise<readonly UnfitCredential[]>
}

export interface UnfitCredential {
  readonly fingerprint: Fingerprint
  readonly state: CredentialState
  readonly identityState: IdentityState
}
export interface Credentials extends CredentialReader {
  insert(credential: Credential): Promise<void>
  /** At most `limits.bulkRowsMax`. */
  insertAll(credentials: readonly Credential[]): Promise<void>
  /** Writes state, dates and reason; the certificate itself never changes. */
  update(credential: Credential): Promise<void>
  /**
   * Puts the signed certificate, its fingerprint and its state in place of the intent of the same serial number.
   *
   * @returns false, and nothing is changed, when there is no such intent any more
   */
  complete(credential: Credential): Promise<boolean>
}

export interface TokenReader {
  find(id: string): Promise<Token | null>
  openOf(identityId: IdentityId): Promise<readonly Token[]>
}
export interface Tokens extends TokenReader {
  insert(token: Token): Promise<void>
  /** At most `limits.bulkRowsMax`. */
  insertAll(tokens: readonly Token[]): Promise<void>
  update(token: Token): Promise<void>
}

export interface SettingReader {
  find(name: string): Promise<string | null>
}
export interface Settings extends SettingReader {
  set(name: string, value: string): Promise<void>
  remove(name: string): Promise<void>
}

/** An answer that was given to a request with an idempotency key. */
export interface IdempotentAnswer {
  /** Who asked and the key that was sent, as one text that no other caller can bring about. */
  readonly key: string
  /** SHA-256 of what was asked: the same key for something else is a mistake. */
  readonly requestHash: Uint8Array
  /** Sealed by the caller's secret, because an answer may hold secrets. */
  readonly answer: Uint8Array
  readonly createdAtMs: number
}
export interface IdempotencyReader {
  find(key: string): Promise<IdempotentAnswer | null>
}
export interface Idempotency extends IdempotencyReader {
  insert(answer: IdempotentAnswer): Promise<void>
  remove(key: string): Promise<void>
  /** Removes at most `limit` answers that were made before that time, the oldest first. Returns how many. */
  removeBefore(createdAtMs: number, limit: number): Promise<number>
}

/** Files of a key folder that stand in the registry, for processes that share it: encrypted, as they would be on disk. */
export interface SealedKeyReader {
  find(name: string): Promise<string | null>
  names(): Promise<readonly string[]>
}
export interface SealedKeys extends SealedKeyReader {
  /** False, and nothing is changed, when the name is taken. */
  insert(name: string, content: string): Promise<boolean>
  /** Nothing happens where there is none of that name. */
  remove(name: string): Promise<void>
}

/**
 * An identity of which the journal knows more than the registry, which is a restored copy: what it was last, or credentials
 * that are `unadopted`.
 */
export interface Adoption {
  /** As the journal has it. */
  readonly identity: Identity
  /** The version of the identity in the registry at that time: whoever changed it since knew better. */
  readonly versionThen: number
}
export interface AdoptionReader {
  find(id: IdentityId): Promise<Adoption | null>
  /** In ascending order of id. */
  list(query: PageQuery): Promise<Page<Adoption>>
  count(): Promise<number>
}
export interface Adoptions extends AdoptionReader {
  /** In place of those that there are for the same identities; at most `limits.bulkRowsMax`. */
  saveAll(adoptions: readonly Adoption[]): Promise<void>
  /** At most `limits.bulkRowsMax`. */
  removeAll(ids: readonly IdentityId[]): Promise<void>
}

/** Work that only one process of a hub may do at a time, by the clock of the database. */
export interface Leases {
  /**
   * Takes a lease that is free or over, or renews the holder's own.
   *
   * @param holder names a process, unique among those that share the registry
   * @returns true when `holder` holds it for `ttlMs` from now
   */
  acquire(name: string, holder: string, ttlMs: number): Promise<boolean>
  /** Gives it back early; somebody else's is left alone. */
  release(name: string, holder: string): Promise<void>
}

export interface EventReader {
  /**
   * Events numbered above `number`, ascending. Numbers follow the order of commits: once an event has been returned, no
   * event with a smaller number appears any more.
   */
  after(number: number, limit: number): Promise<readonly HubEvent[]>
  /** The number of the newest event, 0 when there is none. */
  last(): Promise<number>
}
export interface EventWriter {
  append(event: NewHubEvent): Promise<void>
  /** In this order; at most `limits.bulkRowsMax`. */
  appendAll(events: readonly NewHubEvent[]): Promise<void>
  /** Appends an event and gives it a number above `number` too: those up to it were given away in another life. */
  appendAbove(number: number, event: NewHubEvent): Promise<void>
}

export interface AuditReader {
  /** Newest first. */
  list(query: PageQuery): Promise<Page<AuditEntry>>
  /** Entries numbered above `number`, ascending, at most `limits.pageRowsMax`. */
  after(number: number, limit: number): Promise<readonly AuditEntry[]>
  head(): Promise<AuditHead>
}
export interface AuditWriter {
  append(entry: NewAuditEntry): Promise<void>
  /** In this order; at most `limits.bulkRowsMax`. */
  appendAll(entries: readonly NewAuditEntry[]): Promise<void>
}

export interface AttemptReader {
  list(query: AttemptQuery): Promise<Page<Attempt>>
}
export interface AttemptWriter {
  insertAll(attempts: readonly NewAttempt[]): Promise<void>
  /** Keeps the newest `count` attempts. */
  keepNewest(count: number): Promise<void>
}

/** Credentials of one authority in one state, by their last good second. */
export interface EndingQuery {
  readonly authorityId: string
  readonly state: CredentialState
  /** Included. */
  readonly fromSec: number
  /** Not included. */
  readonly beforeSec: number
  /** Only those of this profile, which is not `device`: whatever is not of the others is. */
  readonly profile?: string
}

/**
 * How many there are. A large registry is counted in steps, so that nothing waits for it; what changes meanwhile may be
 * missed or counted.
 */
export interface CountReader {
  credentialsEnding(query: EndingQuery): Promise<number>
  /** Of every kind. */
  identitiesIn(state: IdentityState): Promise<number>
}

/** The tables inside one transaction: reads see its own writes. */
export interface Transaction {
  readonly identities: Identities
  readonly credentials: Credentials
  readonly tokens: Tokens
  readonly passwords: Passwords
  readonly authorities: Authorities
  readonly rollOvers: RollOvers
  readonly profiles: Profiles
  readonly policies: Policies
  readonly anchors: Anchors
  readonly pins: Pins
  readonly enrolmentRequests: EnrolmentRequests
  readonly renewals: Renewals
  readonly roleGrants: RoleGrants
  readonly crls: Crls
  readonly apiKeys: ApiKeys
  readonly settings: Settings
  readonly sealedKeys: SealedKeys
  readonly adoptions: Adoptions
  readonly idempotency: Idempotency
  readonly leases: Leases
  readonly events: EventWriter & Pick<EventReader, 'last'>
  readonly audit: AuditWriter
  readonly attempts: AttemptWriter
  readonly cases: Cases
  readonly incidents: Incidents
}

export interface Store {
  readonly identities: IdentityReader
  readonly credentials: CredentialReader
  readonly tokens: TokenReader
  readonly passwords: PasswordReader
  readonly authorities: AuthorityReader
  readonly rollOvers: RollOverReader
  readonly profiles: ProfileReader
  readonly policies: PolicyReader
  readonly anchors: AnchorReader
  readonly pins: PinReader
  readonly enrolmentRequests: EnrolmentRequestReader
  readonly renewals: RenewalReader
  readonly roleGrants: RoleGrantReader
  readonly crls: CrlReader
  readonly apiKeys: ApiKeyReader
  readonly settings: SettingReader
  readonly sealedKeys: SealedKeyReader
  readonly adoptions: AdoptionReader
  readonly idempotency: IdempotencyReader
  readonly events: EventReader
  readonly audit: AuditReader
  readonly attempts: AttemptReader
  readonly cases: CaseReader
  readonly incidents: IncidentReader
  readonly counts: CountReader

  /**
   * Runs work as one unit: when the promise is fulfilled, all of it is on disk and survives a power cut; when it is
   * rejected, none of it is. Units that come together may share one commit, each still whole or absent by itself. The work
   * must await nothing but this transaction, and it may be run again from its beginning when the database lost what it did:
   * what it changes outside the transaction must bear that.
   *
   * @throws whatever the work throws; HubError `store-unavailable` when the database refuses
   */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>

  /** Calls back after each commit that appended events. Returns the way to stop. */
  onEvents(listener: () => void): () => void

  health(): StoreHealth

  /** Ends when what was accepted is written. */
  close(): Promise<void>
}
