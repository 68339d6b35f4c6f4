/** Whether the database user of a gate on another machine may do what a gate does, and no more. */
import { HubError } from '../../core/errors.ts'
import { limits as catalogue } from '../../core/limits.ts'
import { steps } from '../migrations.ts'
import type { DatabaseAddress } from './address.ts'
import { type Client, type DatabaseLimits, openClient } from './connections.ts'
import { tablesOfGates } from './gate-role.ts'
import { readVersion } from './migrate.ts'
import { refusalOf } from './refusal.ts'

export interface GateRoleNeeds {
  readonly address: DatabaseAddress
  /** The listeners take passwords. */
  readonly withPasswords: boolean
  /** Overrides those of `core/limits.ts`. */
  readonly limits?: Partial<DatabaseLimits>
}

/**
 * Looks once, before anything is served.
 *
 * @throws HubError `database-unreachable`; `database-unusable` where the registry is of another version than this program;
 *   `gate-role-unfit` where the user may do less, or more
 */
export async function checkGateRole({ address, withPasswords, limits }: GateRoleNeeds): Promise<void> {
  try {
    const client = await openClient({ address, limits: { ...catalogue, ...limits } }, () => {})
    try {
      await assertVersion(client, address)
      const tables = tablesOfGates(withPasswords)
      // The hashes may be there for another gate.
      await assertRights(client, address, tables, tablesOfGates(true))
    } finally {
      await client.end()
    }
  } catch (error) {
    if (error instanceof HubError) throw error
    throw refusalOf(error, address)
  }
}

async function assertVersion(client: Client, { place }: DatabaseAddress): Promise<void> {
  const { rows } = await client.query(
    `select has_table_privilege(oid, 'select') as readable from pg_class where relname = 'handfast_version'`,
  )
  if (rows[0]?.readable === false) throw unfit(place, 'may not read handfast_version')
  const version = rows.length === 0 ? 0 : await readVersion(client, place)
  if (version === 0) {
    throw new HubError('database-unusable', `${place} holds no registry of Handfast`, {
      hint: 'name the database of the hub',
    })
  }
  if (version < steps.length) {
    throw new HubError(
      'database-unusable',
      `${place} is of version ${version}, and this gate reads version ${steps.length}`,
      { hint: 'upgrade the hub first, then its gates' },
    )
  }
}

/** Tables of the registry and what stands beside them, with what the user may do to each. */
const rightsQuery = `
  select relname as name, has_table_privilege(oid, 'select') as reads,
    has_any_column_privilege(oid, 'select') as reads_some,
    has_table_privilege(oid, 'insert, update, delete, truncate, references, trigger')
      or has_any_column_privilege(oid, 'insert, update, references') as writes
  from pg_class where relkind in ('r', 'p', 'v', 'm', 'f')
    and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    and relnamespace not in (select oid from pg_namespace where nspname like 'pg\\_toast%')`

/** What a user can be that no right of its tables shows. */
const placeQuery = `
  select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as mighty,
    has_schema_privilege(current_schema(), 'create') as makes_tables,
    has_database_privilege(current_database(), 'create') as makes_schemas,
    exists (select from pg_auth_members where member = pg_roles.oid) as is_member
  from pg_roles where rolname = current_user`

async function assertRights(
  client: Client,
  { place }: DatabaseAddress,
  needed: readonly string[],
  allowed: readonly string[],
): Promise<void> {
  const user = (await client.query(placeQuery)).rows[0]
  if (user?.mighty === true) throw unfit(place, 'has powers over the whole server')
  if (user?.makes_tables === true || user?.makes_schemas === true) throw unfit(place, 'may make tables')
  if (user?.is_member === true) throw unfit(place, 'belongs to other roles, whose rights it has')
  const { rows } = await client.query(rightsQuery)
  const written = rows.filter(({ writes }) => writes === true)
  if (written.length > 0) throw unfit(place, `may write ${namesOf(written)}`)
  const foreign = rows.filter(({ name, reads_some }) => reads_some === true && !allowed.includes(String(name)))
  if (foreign.length > 0) throw unfit(place, `may read ${namesOf(foreign)}`)
  const missing = needed.filter((table) => !rows.some(({ name, reads }) => name === table && reads === true))
  if (missing.length === 0) return
  throw unfit(
    place,
    `may not read ${missing.join(', ')}`,
    missing.join() === 'passwords' ? 'gate sql --passwords' : 'gate sql',
  )
}

function namesOf(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return rows
    .map(({ name }) => String(name))
    .sort()
    .join(', ')
}

function unfit(place: string, fault: string, command = 'gate sql'): HubError {
  return new HubError('gate-role-unfit', `the user of ${place} ${fault}`, {
    hint: `run what handfast ${command} prints in the database of the hub, and give the gate the URL of that role`,
  })
}
