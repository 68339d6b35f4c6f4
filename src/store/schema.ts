/**
 * The tables of the registry as Kysely sees them: one schema for every database. Numbers are numbers on both sides: times
 * stay far below 2^53. What JSON holds is text, so that no database reorders it. A CRL number is text because RFC 5280
 * §5.2.3 allows 20 octets.
 */
import type { Generated, Kysely, Selectable } from 'kysely'
import type { Role } from '../core/authorisation/role.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Stage } from '../core/failure/failure.ts'
import type { AnchorState, RevocationBehaviour } from '../core/identification/anchor.ts'
import type { CredentialState, KeyOrigin, RevocationReason } from '../core/identity/credential.ts'
import type { IdentityId, IdentityKind } from '../core/identity/id.ts'
import type { IdentityState, KeyStorage } from '../core/identity/identity.ts'
import type { PinSlot } from '../core/identity/proof.ts'
import type { TokenState } from '../core/identity/token.ts'
import type { PolicyState } from '../core/policy/state.ts'
import type { NewAttempt } from '../hub/ports/attempts.ts'
import type { AuthorityRow, RollOverRow } from '../hub/ports/authorities.ts'
import type { Party } from '../hub/ports/cases.ts'
import type { EnrolmentRequestRow } from '../hub/ports/enrolment-requests.ts'

export interface IdentityTable {
  id: IdentityId
  kind: IdentityKind
  state: IdentityState
  group_name: string | null
  attributes: string
  created_at_ms: number
  updated_at_ms: number
  version: number
  /** A list of names as JSON. */
  profiles: string
  /** `IdentityNames` as JSON. */
  names: string
  key_storage: KeyStorage | null
}

/** What an identity has in `attributes`, once more, in the order in which it is searched. */
export interface IdentityAttributeTable {
  name: string
  value: string
  identity_id: IdentityId
}

export interface CredentialTable {
  /** The order of insertion: decides between credentials of the same millisecond. */
  number: Generated<number>
  fingerprint: string
  serial_number: string
  identity_id: IdentityId
  authority_id: string
  profile: string
  state: CredentialState
  public_key_hash: string
  token_id: string | null
  not_before_sec: number
  not_after_sec: number
  issued_at_ms: number
  activated_at_ms: number | null
  revoked_at_ms: number | null
  revocation_reason: RevocationReason | null
  /** Behind what lists need, so that SQLite reads the columns before it without its overflow pages. */
  certificate: Uint8Array
  key_origin: KeyOrigin
  crl_shard: number | null
  parent_serial: string | null
  superseded_at_ms: number | null
}

export interface TokenTable {
  number: Generated<number>
  id: string
  secret_hash: Uint8Array
  identity_id: IdentityId
  profile: string
  state: TokenState
  created_at_ms: number
  expires_at_ms: number
  used_at_ms: number | null
  /** 0 or 1. */
  needs_approval: number
}

export interface AuthorityTable {
  number: Generated<number>
  id: string
  role: AuthorityRow['role']
  certificate: Uint8Array
  created_at_ms: number
  chain: string
  key_type: AuthorityRow['keyType']
  parent_id: string | null
  state: AuthorityRow['state']
  key_place: AuthorityRow['keyPlace']
}

export interface CrossCertificateTable {
  number: Generated<number>
  fingerprint: string
  subject_id: string
  issuer_id: string
  created_at_ms: number
  certificate: Uint8Array
}

export interface RollOverTable {
  number: Generated<number>
  id: string
  role: AuthorityRow['role']
  chain: string
  from_id: string
  to_id: string
  state: RollOverRow['state']
  /** 0 or 1. */
  is_paused: number
  share_percent: number
  started_at_ms: number
  changed_at_ms: number
}

export interface RootAcknowledgementTable {
  root_id: string
  identity_id: IdentityId
  how: string
  at_ms: number
}

export interface ProfileTable {
  name: string
  definition: string
  version: number
  created_at_ms: number
  updated_at_ms: number
}

export interface EnrolmentRequestTable {
  number: Generated<number>
  id: string
  identity_id: IdentityId
  token_id: string | null
  parent_serial: string | null
  profile: string
  public_key_hash: string
  state: EnrolmentRequestRow['state']
  created_at_ms: number
  decided_at_ms: number | null
  decided_by: string | null
}

export interface RoleGrantTable {
  number: Generated<number>
  identity_id: IdentityId
  role: Role
  /** Empty for a role that knows no groups. */
  group_name: string
  may_register: number
}

export interface CrlShardTable {
  authority_id: string
  shard: number
  base: string
  places: number
  not_after_sec: number
}

export interface CrlTable {
  authority_id: string
  /** -1 for the full one. */
  shard: number
  /** The CRL number in decimal. */
  number: string
  this_update_ms: number
  next_update_ms: number
  event_number: number
  crl: Uint8Array
}

export interface ApiKeyTable {
  id: string
  name: string
  secret_hash: Uint8Array
  created_at_ms: number
  role: Role
  /** A list of names as JSON. */
  groups: string
  may_register: number
  expires_at_ms: number | null
}

export interface SettingTable {
  name: string
  value: string
}

export interface IdempotencyTable {
  key: string
  request_hash: Uint8Array
  created_at_ms: number
  answer: Uint8Array
}

export interface LeaseTable {
  name: string
  holder: string
  expires_at_ms: number
}

export interface SealedKeyTable {
  name: string
  content: string
}

/** See `Adoption` in hub/ports/store.ts. */
export interface AdoptionTable {
  identity_id: IdentityId
  /** The identity as the journal has it, as JSON. */
  identity: string
  version_then: number
}

/** What a process has committed last, so that it can tell after a lost connection whether its COMMIT came through. */
export interface CommitMarkTable {
  instance: string
  mark: string
  at_ms: number
}

export interface EventTable {
  /** Follows the order of commits without gaps, because writers follow each other. */
  number: number
  at_ms: number
  /** The event without number and time, as JSON. */
  event: string
}

export interface AuditTable {
  /** As that of events. */
  number: number
  at_ms: number
  actor: string
  act: string
  subject: string
  before_json: string
  after_json: string
  /** Continues the chain: see core/audit/chain.ts. */
  hash: string
}

export interface AttemptTable {
  number: Generated<number>
  at_ms: number
  listener: string
  address: string
  stage: Stage
  outcome: NewAttempt['outcome']
  code: FailureName | null
  sentence: string
  identity_id: string | null
  client_id: string | null
  tls_version: string | null
  mqtt_version: NewAttempt['mqttVersion']
  /** The summary of the certificate as JSON, or null. */
  certificate: string | null
}

/** See `AttemptCase` in hub/ports/cases.ts. The columns from `stage` on are those of the newest attempt. */
export interface AttemptCaseTable {
  number: Generated<number>
  party_kind: Party['kind']
  party: string
  listener: string
  code: FailureName
  /** Empty for none. */
  issuer: string
  attempts_count: number
  first_at_ms: number
  last_at_ms: number
  admitted_at_ms: number | null
  stage: Stage
  address: string
  sentence: string
  identity_id: string | null
  client_id: string | null
  tls_version: string | null
  mqtt_version: NewAttempt['mqttVersion']
  /** The summary of the certificate as JSON, or null. */
  certificate: string | null
}

/** See `Incident` in hub/ports/incidents.ts. */
export interface IncidentTable {
  number: Generated<number>
  listener: string
  code: FailureName
  /** Empty for none. */
  issuer: string
  identities_count: number
  certificates_count: number
  networks_count: number
  is_sudden: number
  /** A list of texts as JSON. */
  examples: string
  began_at_ms: number
  last_at_ms: number
  ended_at_ms: number | null
}

/** See `RenewalContest` in hub/ports/renewals.ts. */
export interface RenewalContestTable {
  number: Generated<number>
  identity_id: IdentityId
  parent_serial: string
  rival_serial: string
  serial_number: string
  at_ms: number
}

export interface RenewalCallTable {
  /** A kind of scope and its name, as in `group line-2`. */
  scope: string
  at_ms: number
}

/** A version of the policy. */
export interface PolicyTable {
  number: Generated<number>
  state: PolicyState
  created_at_ms: number
  created_by: string
  note: string
  changed_at_ms: number
  activated_at_ms: number | null
  /** The policy file as it was given. */
  source: string
}

/** An authority of somebody else. */
export interface AnchorTable {
  number: Generated<number>
  id: string
  fingerprint: string
  state: AnchorState
  /** What a certificate of the authority must name to prove that its key is held; null where nothing is to be proved. */
  code: string | null
  revocation: RevocationBehaviour
  created_at_ms: number
  changed_at_ms: number
  certificate: Uint8Array
  /** PEM of the authorities above it. */
  above: string
  /** PEM of the authorities between it and devices. */
  below: string
  /** JSON: where word of revocations comes from. */
  sources: string
}

/** The latest CRL, or a part of it, of an authority of a trust anchor. */
export interface AnchorCrlTable {
  anchor_id: string
  /** Fingerprint of the certificate of the authority. */
  issuer: string
  /** Empty for a whole one; else the addresses of the part, with spaces between them. */
  part: string
  this_update_ms: number
  next_update_ms: number
  given_at_ms: number
  crl: Uint8Array
}

/** An address that CRLs of a trust anchor are fetched from. */
export interface AnchorFetchTable {
  anchor_id: string
  url: string
  /** 0 or 1: whether a certificate named it, and not the operator. */
  is_learned: number
  due_at_ms: number
  tried_at_ms: number | null
  /** In a row, up to now. */
  failures: number
  /** Why the last try failed, in words. */
  failure: string | null
}

/** A certificate that was written down by its thumbprint. */
export interface PinTable {
  number: Generated<number>
  identity_id: IdentityId
  slot: PinSlot
  fingerprint: string
  /** 0 or 1. */
  dates_count: number
  created_at_ms: number
  used_at_ms: number | null
  certificate: Uint8Array
}

export interface PasswordTable {
  number: Generated<number>
  id: string
  identity_id: IdentityId
  state: string
  hash: Uint8Array
  salt: Uint8Array
  /** What it was hashed with, as JSON. */
  cost: string
  created_at_ms: number
  used_at_ms: number | null
  superseded_at_ms: number | null
  ended_at_ms: number | null
}

export interface Schema {
  identities: IdentityTable
  identity_attributes: IdentityAttributeTable
  credentials: CredentialTable
  tokens: TokenTable
  authorities: AuthorityTable
  cross_certificates: CrossCertificateTable
  roll_overs: RollOverTable
  root_acknowledgements: RootAcknowledgementTable
  profiles: ProfileTable
  enrolment_requests: EnrolmentRequestTable
  role_grants: RoleGrantTable
  renewal_contests: RenewalContestTable
  renewal_calls: RenewalCallTable
  policies: PolicyTable
  anchors: AnchorTable
  anchor_crls: AnchorCrlTable
  anchor_fetches: AnchorFetchTable
  pins: PinTable
  passwords: PasswordTable
  crl_shards: CrlShardTable
  crls: CrlTable
  api_keys: ApiKeyTable
  settings: SettingTable
  idempotency: IdempotencyTable
  leases: LeaseTable
  sealed_keys: SealedKeyTable
  adoptions: AdoptionTable
  commit_marks: CommitMarkTable
  events: EventTable
  audit: AuditTable
  attempts: AttemptTable
  attempt_cases: AttemptCaseTable
  incidents: IncidentTable
}

/** A row as it is read. */
export type RowOf<Table> = Selectable<Table>

/**
 * The way to the tables. It is asked at every call, so that a transaction that has ended can refuse to be used again.
 */
export type Access = () => Kysely<Schema>
