/**
 * The database user of gates that stand on other machines: it reads what a gate reads, and writes nothing. Attempts and first
 * uses go to the hub, which judges what it is told; a machine that falls into wrong hands has no way into the registry.
 */
import type { Schema } from '../schema.ts'

/** Whether a gate reads a table: `with-passwords` where its listeners take passwords. */
type Reading = 'always' | 'with-passwords' | 'never'

/** Every table is decided here, or a new one does not compile. */
const readings: Readonly<Record<keyof Schema, Reading>> = {
  // Who is who, and what each may do.
  identities: 'always',
  credentials: 'always',
  pins: 'always',
  policies: 'always',
  anchors: 'always',
  anchor_crls: 'always',
  profiles: 'always',
  passwords: 'with-passwords',
  // What clients are told to trust.
  authorities: 'always',
  cross_certificates: 'always',
  roll_overs: 'always',
  // What has changed; the realm.
  events: 'always',
  settings: 'always',
  // Secrets, sealed or hashed, and what opens a door.
  sealed_keys: 'never',
  tokens: 'never',
  api_keys: 'never',
  idempotency: 'never',
  enrolment_requests: 'never',
  role_grants: 'never',
  // The affairs of the hub.
  anchor_fetches: 'never',
  identity_attributes: 'never',
  root_acknowledgements: 'never',
  renewal_contests: 'never',
  renewal_calls: 'never',
  crl_shards: 'never',
  crls: 'never',
  leases: 'never',
  adoptions: 'never',
  commit_marks: 'never',
  audit: 'never',
  attempts: 'never',
  attempt_cases: 'never',
  incidents: 'never',
}

/** Keeps the number of the schema. */
const versionTable = 'handfast_version'

/** The tables that a gate reads, by name. */
export function tablesOfGates(withPasswords: boolean): readonly string[] {
  const read = Object.entries(readings).filter(
    ([, reading]) => reading === 'always' || (withPasswords && reading === 'with-passwords'),
  )
  return [versionTable, ...read.map(([table]) => table)].sort()
}

export interface GateRoleOptions {
  /** A name that SQL takes without quotes: `[a-z_][a-z0-9_]{0,62}`, not `pg_…`. */
  readonly role: string
  /** The listeners of the gates take passwords: their hashes are read. */
  readonly withPasswords: boolean
  /** Connections of all gates together, so that they leave some to the hub; at least 1. */
  readonly connectionsMax: number
}

export function isRoleName(text: string): boolean {
  return /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(text) && !reserved.includes(text)
}

/** Words that PostgreSQL takes for something else where a role is named. */
const reserved: readonly string[] = ['public', 'none', 'user', 'current_user', 'current_role', 'session_user']

/**
 * Statements for psql that make the role, or bring it to what this program needs. They may be run again, and change nothing
 * where something is not as it is thought: they run in one transaction.
 */
export function gateRoleSql({ role, withPasswords, connectionsMax }: GateRoleOptions): string {
  return `${header(role)}
\\set ON_ERROR_STOP on
begin;

do $$
declare
  -- Where the registry stands, and whose it is.
  registry name;
  hub name;
  readable constant text[] := array[${tablesOfGates(withPasswords)
    .map((table) => `'${table}'`)
    .join(', ')}];
  each text;
begin
  select schemaname, tableowner into registry, hub from pg_tables where tablename = '${versionTable}'
    order by schemaname = 'public' desc limit 1;
  if registry is null then
    raise exception 'the database "%" holds no registry of Handfast: name the one of the hub', current_database();
  end if;
${making(role, connectionsMax)}
${granting(role)}
${closing(role)}
end
$$;

commit;
`
}

function header(role: string): string {
  return `-- The database user of gates on other machines (handfast gate sql).
--
-- A superuser runs this in the database of the hub, and again after each upgrade of Handfast. Then give the user a password,
-- which is kept nowhere in clear:   \\password "${role}"
-- and let pg_hba.conf admit it from the gate's machines alone:
--   hostssl <database> ${role} <address of the gate>/32 scram-sha-256`
}

function making(role: string, connectionsMax: number): string {
  return `
  if not exists (select from pg_roles where rolname = '${role}') then
    create role "${role}";
  elsif exists (select from pg_roles where rolname = '${role}' and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication))
    or exists (select from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = '"${role}"'::regrole and deptype = 'o')
    or exists (select from pg_auth_members where member = '"${role}"'::regrole) then
    raise exception 'the role ${role} is something else: it owns objects, has attributes or belongs to other roles'
      using hint = 'name another one with --role';
  end if;
  alter role "${role}" login noinherit connection limit ${connectionsMax};
  -- No wall, only a help: whoever has the password may turn it off again, and still may not write.
  alter role "${role}" set default_transaction_read_only = on;
  execute format('alter role "${role}" in database %I set search_path = %I', current_database(), registry);`
}

function granting(role: string): string {
  return `
  execute format('revoke all on all tables in schema %I from "${role}"', registry);
  execute format('grant connect on database %I to "${role}"', current_database());
  execute format('grant usage on schema %I to "${role}"', registry);
  foreach each in array readable loop
    execute format('grant select on table %I.%I to "${role}"', registry, each);
  end loop;`
}

/** Every user of a database may do some things that write or that hold up others; here only the hub may. */
function closing(role: string): string {
  return `
  -- What everybody may do in a database unless it is taken away: temporary tables, tables of one's own before PostgreSQL 15,
  -- large objects, and the locks by which the hub's processes write one after the other.
  execute format('grant temporary on database %I to %I', current_database(), hub);
  execute format('revoke temporary on database %I from public', current_database());
  execute format('grant usage, create on schema %I to %I', registry, hub);
  execute format('revoke create on schema %I from public', registry);
  begin
    for each in
      select oid::regprocedure from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proname ~
        '^(pg_(try_)?advisory_(xact_)?lock(_shared)?|lo_(creat|create|from_bytea|import|open|put|truncate|truncate64|unlink)|lowrite|pg_logical_emit_message)$'
    loop
      execute format('grant execute on function %s to %I', each, hub);
      execute format('revoke execute on function %s from public', each);
    end loop;
  exception when insufficient_privilege then null;
  end;
  if has_function_privilege('${role}', 'pg_advisory_lock(bigint)', 'execute') then
    raise warning 'the role ${role} can hold up every write of the hub (advisory locks) and make large objects'
      using hint = 'only a superuser can take that away: have one run this';
  end if;`
}
