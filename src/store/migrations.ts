/**
 * How the schema came to be, one step a version, for every database.
 *
 * Kysely's own migrator is not used: it needs two tables and a lock of its own, and knows names instead of a version, so it
 * cannot say "this database is of version 7, I know 3". Here the adapter keeps one number and applies what is missing in
 * one transaction. A step that has been released never changes.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import { auditChainStart, auditHash } from '../core/audit/chain.ts'

/** What the databases call the same thing by. */
export interface Dialect {
  /** The type of an ascending number that the database assigns and never assigns again, with its primary key. */
  readonly counter: RawBuilder<unknown>
  /** Text that is compared by code points. */
  readonly key: RawBuilder<unknown>
  /** Whole numbers up to 2^53. */
  readonly integer: RawBuilder<unknown>
  readonly bytes: RawBuilder<unknown>
  /** Ends the making of a table that is searched by its primary key alone, where the database can lay it out so. */
  readonly clustered?: RawBuilder<unknown>
  /** Statements after which other processes hear of rows that are added to a table; none where there is one process. */
  announceAppends(table: string): readonly RawBuilder<unknown>[]
  /** Statements after which a table refuses UPDATE and DELETE. */
  appendOnly(table: string): readonly RawBuilder<unknown>[]
}

// biome-ignore lint/suspicious/noExplicitAny: a step works on the schema of its own time, which has no type
export type Step = (database: Kysely<any>, dialect: Dialect) => Promise<void>

/** Step n makes version n + 1. */
export const steps: readonly Step[] = [
  makeFirstVersion,
  makeOperable,
  makeRestorable,
  makeSearchable,
  makeAuthority,
  makePolicy,
  makeAnchorsWhole,
  makeAttemptCases,
]

// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makeFirstVersion(database: Kysely<any>, dialect: Dialect): Promise<void> {
  const { counter, key, integer, bytes } = dialect
  const statements = [
    sql`create table identities (
      id ${key} primary key, kind text not null, state text not null, group_name text, attributes text not null,
      created_at_ms ${integer} not null, updated_at_ms ${integer} not null)`,
    sql`create index identities_group on identities (group_name, id)`,
    sql`create index identities_state on identities (state, id)`,

    sql`create table authorities (
      number ${counter}, id ${key} not null unique, role text not null, created_at_ms ${integer} not null,
      certificate ${bytes} not null)`,

    sql`create table tokens (
      number ${counter}, id ${key} not null unique, secret_hash ${bytes} not null,
      identity_id ${key} not null references identities (id), profile text not null, state text not null,
      created_at_ms ${integer} not null, expires_at_ms ${integer} not null, used_at_ms ${integer})`,
    sql`create index tokens_identity on tokens (identity_id, state, number)`,

    sql`create table credentials (
      number ${counter}, fingerprint ${key} not null unique, serial_number ${key} not null unique,
      identity_id ${key} not null references identities (id), authority_id ${key} not null,
      profile text not null,
      state text not null, public_key_hash text not null, token_id ${key},
      not_before_sec ${integer} not null, not_after_sec ${integer} not null, issued_at_ms ${integer} not null,
      activated_at_ms ${integer}, revoked_at_ms ${integer}, revocation_reason text, certificate ${bytes} not null)`,
    sql`create index credentials_identity on credentials (identity_id, issued_at_ms, number)`,
    sql`create index credentials_token on credentials (token_id) where token_id is not null`,
    sql`create index credentials_authority on credentials (authority_id, state, not_after_sec)`,

    sql`create table crls (
      authority_id ${key} primary key, number text not null, this_update_ms ${integer} not null,
      next_update_ms ${integer} not null, crl ${bytes} not null)`,
    sql`create table api_keys (
      id ${key} primary key, name text not null, secret_hash ${bytes} not null, created_at_ms ${integer} not null)`,
    sql`create table settings (name ${key} primary key, value text not null)`,

    sql`create table events (number ${counter}, at_ms ${integer} not null, event text not null)`,
    sql`create table audit (
      number ${counter}, at_ms ${integer} not null, actor text not null, act text not null, subject text not null,
      before_json text not null, after_json text not null)`,

    sql`create table attempts (
      number ${counter}, at_ms ${integer} not null, listener text not null, address text not null, stage text not null,
      outcome text not null, code text, sentence text not null, identity_id ${key}, client_id text, tls_version text,
      mqtt_version text, certificate text)`,
    sql`create index attempts_outcome on attempts (outcome, number)`,
    sql`create index attempts_identity on attempts (identity_id, number)`,
    sql`create index attempts_code on attempts (code, number)`,

    ...dialect.appendOnly('audit'),
    ...dialect.appendOnly('events'),
  ]
  for (const statement of statements) await statement.execute(database)
}

/** The audit log becomes a chain, identities count their changes, and there is room for what several processes agree on. */
// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makeOperable(database: Kysely<any>, dialect: Dialect): Promise<void> {
  const { key, integer, bytes } = dialect
  const statements = [
    sql`alter table identities add column version ${integer} not null default 1`,
    sql`alter table crls add column event_number ${integer} not null default 0`,
    sql`create table idempotency (
      key ${key} primary key, request_hash ${bytes} not null, created_at_ms ${integer} not null, answer ${bytes} not null)`,
    sql`create index idempotency_age on idempotency (created_at_ms)`,
    sql`create table leases (name ${key} primary key, holder text not null, expires_at_ms ${integer} not null)`,
    sql`create table sealed_keys (name ${key} primary key, content text not null)`,
    sql`create table commit_marks (instance ${key} primary key, mark text not null, at_ms ${integer} not null)`,
    sql`create table audit_chained (
      number ${integer} primary key, at_ms ${integer} not null, actor text not null, act text not null,
      subject text not null, before_json text not null, after_json text not null, hash text not null)`,
  ]
  for (const statement of statements) await statement.execute(database)
  await chainAudit(database)
  // The triggers that refuse changes go with the old table.
  for (const statement of [
    sql`drop table audit`,
    sql`alter table audit_chained rename to audit`,
    ...dialect.appendOnly('audit'),
    ...dialect.announceAppends('events'),
  ]) {
    await statement.execute(database)
  }
}

/** What the journal knows of identities after an older copy of the registry was restored, until an operator adopts it. */
// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makeRestorable(database: Kysely<any>, { key, integer }: Dialect): Promise<void> {
  const statements = [
    sql`create table adoptions (
      identity_id ${key} primary key references identities (id), identity text not null,
      version_then ${integer} not null)`,
    sql`create index credentials_unadopted on credentials (identity_id) where state = 'unadopted'`,
  ]
  for (const statement of statements) await statement.execute(database)
}

/** Devices are found by their attributes. */
// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makeSearchable(database: Kysely<any>, { key, clustered }: Dialect): Promise<void> {
  await sql`create table identity_attributes (
    name ${key} not null, value ${key} not null, identity_id ${key} not null references identities (id),
    primary key (name, value, identity_id)) ${clustered ?? sql``}`.execute(database)
  let after = ''
  for (;;) {
    const rows = await database
      .selectFrom('identities')
      .select(['id', 'attributes'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(100)
      .execute()
    if (rows.length === 0) return
    const attributes = rows.flatMap(({ id, attributes }) =>
      Object.entries(JSON.parse(attributes)).map(([name, value]) => ({ name, value, identity_id: id })),
    )
    if (attributes.length > 0) await database.insertInto('identity_attributes').values(attributes).execute()
    after = rows.at(-1)?.id
  }
}

/**
 * Profiles and grants, renewal with lineage, CRL shards, several authorities that change, requests that wait for approval,
 * and roles.
 */
// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makeAuthority(database: Kysely<any>, { counter, key, integer, bytes }: Dialect): Promise<void> {
  const statements = [
    sql`alter table identities add column profiles text not null default '["device"]'`,
    sql`alter table identities add column names text not null default '{"dnsNames":[],"ipAddresses":[],"emails":[]}'`,
    sql`update identities set profiles = '["server"]' where kind = 'service'`,
    sql`update identities set profiles = '["user"]' where kind = 'user'`,
    sql`alter table tokens add column needs_approval ${integer} not null default 0`,
    sql`create table profiles (
      name ${key} primary key, definition text not null, version ${integer} not null, created_at_ms ${integer} not null,
      updated_at_ms ${integer} not null)`,

    sql`alter table credentials add column key_origin text not null default 'holder'`,
    sql`alter table credentials add column crl_shard ${integer}`,
    sql`alter table credentials add column parent_serial ${key}`,
    sql`alter table credentials add column superseded_at_ms ${integer}`,
    sql`update credentials set superseded_at_ms = issued_at_ms where state = 'superseded'`,
    sql`create index credentials_profile on credentials (profile, state, authority_id, not_after_sec)
      where profile <> 'device'`,
    sql`create index credentials_parent on credentials (parent_serial) where parent_serial is not null`,
    sql`create index credentials_overlap on credentials (superseded_at_ms) where state = 'superseded'`,
    sql`create index credentials_waiting on credentials (profile, issued_at_ms)
      where state in ('pending', 'quarantined') and activated_at_ms is null and parent_serial is not null`,
    sql`create index credentials_unused on credentials (state, issued_at_ms) where state in ('intended', 'pending')`,
    sql`create index credentials_revoked on credentials (authority_id, crl_shard, not_after_sec, number)
      where state in ('revoked', 'quarantined', 'unadopted')`,
    sql`create table renewal_contests (
      number ${counter}, identity_id ${key} not null references identities (id), parent_serial ${key} not null,
      rival_serial ${key} not null, serial_number ${key} not null, at_ms ${integer} not null)`,
    sql`create index renewal_contests_identity on renewal_contests (identity_id, number)`,
    sql`create index renewal_contests_age on renewal_contests (at_ms)`,
    sql`create table renewal_calls (scope ${key} primary key, at_ms ${integer} not null)`,
    sql`create table enrolment_requests (
      number ${counter}, id ${key} not null unique, identity_id ${key} not null references identities (id),
      token_id ${key}, parent_serial ${key}, profile text not null, public_key_hash text not null, state text not null,
      created_at_ms ${integer} not null, decided_at_ms ${integer}, decided_by text)`,
    sql`create index enrolment_requests_identity on enrolment_requests (identity_id, number)`,
    sql`create index enrolment_requests_state on enrolment_requests (state, number)`,
    sql`create index enrolment_requests_age on enrolment_requests (created_at_ms)`,

    sql`alter table authorities add column chain text not null default 'main'`,
    sql`alter table authorities add column key_type text not null default 'P-256'`,
    sql`alter table authorities add column parent_id ${key}`,
    sql`alter table authorities add column state text not null default 'active'`,
    sql`alter table authorities add column key_place text not null default 'hub'`,
    sql`update authorities set parent_id = (select id from authorities root where root.role = 'root') where role = 'issuing'`,
    sql`create table cross_certificates (
      number ${counter}, fingerprint ${key} not null unique, subject_id ${key} not null, issuer_id ${key} not null,
      created_at_ms ${integer} not null, certificate ${bytes} not null)`,
    sql`create table roll_overs (
      number ${counter}, id ${key} not null unique, role text not null, chain text not null, from_id ${key} not null,
      to_id ${key} not null, state text not null, is_paused ${integer} not null, share_percent ${integer} not null,
      started_at_ms ${integer} not null, changed_at_ms ${integer} not null)`,
    sql`create table root_acknowledgements (
      root_id ${key} not null, identity_id ${key} not null references identities (id), how text not null,
      at_ms ${integer} not null, primary key (root_id, identity_id))`,

    sql`create table crl_shards (
      authority_id ${key} not null, shard ${integer} not null, base ${key} not null, places ${integer} not null,
      not_after_sec ${integer} not null, primary key (authority_id, shard))`,
    sql`create index crl_shards_base on crl_shards (authority_id, base, shard)`,
    sql`create table crls_sharded (
      authority_id ${key} not null, shard ${integer} not null, number text not null, this_update_ms ${integer} not null,
      next_update_ms ${integer} not null, event_number ${integer} not null, crl ${bytes} not null,
      primary key (authority_id, shard))`,
    sql`insert into crls_sharded (authority_id, shard, number, this_update_ms, next_update_ms, event_number, crl)
      select authority_id, -1, number, this_update_ms, next_update_ms, event_number, crl from crls`,
    sql`drop table crls`,
    sql`alter table crls_sharded rename to crls`,

    sql`alter table api_keys add column role text not null default 'admin'`,
    sql`alter table api_keys add column groups text not null default '[]'`,
    sql`alter table api_keys add column may_register ${integer} not null default 0`,
    sql`alter table api_keys add column expires_at_ms ${integer}`,
    sql`create table role_grants (
      number ${counter}, identity_id ${key} not null references identities (id), role text not null,
      group_name ${key} not null, may_register ${integer} not null, unique (identity_id, role, group_name))`,
  ]
  for (const statement of statements) await statement.execute(database)
}

/** The policy in its versions, and the other ways to prove an identity: trust anchors, pinned certificates, passwords. */
// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makePolicy(database: Kysely<any>, { counter, key, integer, bytes }: Dialect): Promise<void> {
  const statements = [
    sql`create table policies (
      number ${counter}, state text not null, created_at_ms ${integer} not null, created_by text not null,
      note text not null, changed_at_ms ${integer} not null, activated_at_ms ${integer}, source text not null)`,
    sql`create index policies_state on policies (state, number)`,

    sql`create table anchors (
      number ${counter}, id ${key} not null unique, fingerprint ${key} not null unique, state text not null,
      code text, revocation text not null, created_at_ms ${integer} not null, changed_at_ms ${integer} not null,
      certificate ${bytes} not null, above text not null)`,
    sql`create table anchor_crls (
      anchor_id ${key} not null primary key, this_update_ms ${integer} not null, next_update_ms ${integer} not null,
      given_at_ms ${integer} not null, crl ${bytes} not null)`,

    sql`create table pins (
      number ${counter}, identity_id ${key} not null references identities (id), slot text not null,
      fingerprint ${key} not null unique, dates_count ${integer} not null, created_at_ms ${integer} not null,
      used_at_ms ${integer}, certificate ${bytes} not null, unique (identity_id, slot))`,

    sql`create table passwords (
      number ${counter}, id ${key} not null unique, identity_id ${key} not null references identities (id),
      state text not null, hash ${bytes} not null, salt ${bytes} not null, cost text not null,
      created_at_ms ${integer} not null, used_at_ms ${integer}, superseded_at_ms ${integer}, ended_at_ms ${integer})`,
    sql`create index passwords_identity on passwords (identity_id, state, number)`,
    sql`create index passwords_over on passwords (ended_at_ms) where state = 'superseded'`,

    sql`alter table identities add column key_storage text`,
  ]
  for (const statement of statements) await statement.execute(database)
}

/** Trust anchors with authorities below them, a CRL for each of those, and places to fetch them from. */
// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makeAnchorsWhole(database: Kysely<any>, { key, integer, bytes }: Dialect): Promise<void> {
  const statements = [
    sql`alter table anchors add column below text not null default ''`,
    sql`alter table anchors add column sources text not null default '{}'`,
    sql`create table anchor_crl_parts (
      anchor_id ${key} not null, issuer ${key} not null, part ${key} not null, this_update_ms ${integer} not null,
      next_update_ms ${integer} not null, given_at_ms ${integer} not null, crl ${bytes} not null,
      primary key (anchor_id, issuer, part))`,
    sql`insert into anchor_crl_parts (anchor_id, issuer, part, this_update_ms, next_update_ms, given_at_ms, crl)
      select anchor_id, fingerprint, '', this_update_ms, next_update_ms, given_at_ms, crl
      from anchor_crls join anchors on anchors.id = anchor_crls.anchor_id`,
    sql`drop table anchor_crls`,
    sql`alter table anchor_crl_parts rename to anchor_crls`,
    sql`create table anchor_fetches (
      anchor_id ${key} not null, url ${key} not null, is_learned ${integer} not null, due_at_ms ${integer} not null,
      tried_at_ms ${integer}, failures ${integer} not null, failure text, primary key (anchor_id, url))`,
  ]
  for (const statement of statements) await statement.execute(database)
}

/** Attempts of one cause and one party together, and what refuses many parties at once. */
// biome-ignore lint/suspicious/noExplicitAny: see Step
async function makeAttemptCases(database: Kysely<any>, { counter, key, integer }: Dialect): Promise<void> {
  const statements = [
    sql`create table attempt_cases (
      number ${counter}, party_kind ${key} not null, party ${key} not null, listener ${key} not null, code ${key} not null,
      issuer ${key} not null, attempts_count ${integer} not null, first_at_ms ${integer} not null,
      last_at_ms ${integer} not null, admitted_at_ms ${integer}, stage text not null, address text not null,
      sentence text not null, identity_id ${key}, client_id text, tls_version text, mqtt_version text, certificate text,
      unique (party_kind, party, listener, code))`,
    sql`create index attempt_cases_last on attempt_cases (last_at_ms, number)`,

    sql`create table incidents (
      number ${counter}, listener ${key} not null, code ${key} not null, issuer ${key} not null,
      identities_count ${integer} not null, certificates_count ${integer} not null, networks_count ${integer} not null,
      is_sudden ${integer} not null, examples text not null, began_at_ms ${integer} not null,
      last_at_ms ${integer} not null, ended_at_ms ${integer})`,
    sql`create index incidents_standing on incidents (number) where ended_at_ms is null`,
  ]
  for (const statement of statements) await statement.execute(database)
}

// biome-ignore lint/suspicious/noExplicitAny: see Step
async function chainAudit(database: Kysely<any>): Promise<void> {
  let number = 0
  let hash = auditChainStart
  for (;;) {
    const rows = await database
      .selectFrom('audit')
      .selectAll()
      .where('number', '>', number)
      .orderBy('number')
      .limit(500)
      .execute()
    if (rows.length === 0) return
    for (const row of rows) {
      const { at_ms: atMs, actor, act, subject } = row
      const [before, after] = [JSON.parse(row.before_json), JSON.parse(row.after_json)]
      number = row.number
      hash = auditHash(hash, { number, atMs, actor, act, subject, before, after })
      await database
        .insertInto('audit_chained')
        .values({ ...row, hash })
        .execute()
    }
  }
}

/** Of the tables as this program knows them. */
export const registryVersion: number = steps.length
