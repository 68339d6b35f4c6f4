import { setTimeout as delay } from 'node:timers/promises'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { RegistryRestorer, Row, TableShape } from '../../hub/ports/snapshot.ts'
import { steps } from '../migrations.ts'
import { assertKnownVersion, tableShapes } from '../snapshot.ts'
import type { DatabaseAddress } from './address.ts'
import { type Client, openClient, queriesOver, statement } from './connections.ts'
import { sqlState } from './errors.ts'
import { migrateWithin, readVersion } from './migrate.ts'
import { patience, postgresColumns } from './postgres-snapshot.ts'
import { refusalOf } from './refusal.ts'
import { takeWriterLock } from './writer.ts'

/** Parameters of one statement that PostgreSQL takes. */
const parametersMax = 65_535

export interface PostgresRestoreOptions {
  readonly address: DatabaseAddress
  /** Of the schema that the rows are of. */
  readonly version: number
  /** Whether a registry that is there may be dropped. */
  readonly replace: boolean
}

/**
 * Fills a PostgreSQL database in one transaction.
 *
 * @throws HubError `restore-target-taken` when it holds a registry that must not be replaced, `registry-in-use` while a hub
 *   is connected to it, `backup-too-new`, `database-unreachable`, `database-unusable`
 */
export async function openPostgresRestorer(options: PostgresRestoreOptions): Promise<RegistryRestorer> {
  const { address } = options
  assertKnownVersion(options.version)
  try {
    const client = await openClient({ address, limits }, () => {})
    try {
      await client.query(`begin; ${patience}; ${takeWriterLock}`)
      await makeRoom(client, options)
      await migrateWithin(client, address.place, options.version)
      const queries = queriesOver({ run: (text, values) => client.query(statement(text, values)) })
      const tables = await tableShapes(queries, postgresColumns)
      return restorerOver(client, address, tables)
    } catch (error) {
      await client.end()
      throw error
    }
  } catch (error) {
    throw error instanceof HubError ? error : refusalOf(error, address)
  }
}

async function makeRoom(client: Client, { address, replace }: PostgresRestoreOptions): Promise<void> {
  if (!(await isAlone(client))) throw new HubError('registry-in-use', `a hub is connected to ${address.place}`)
  if ((await readVersion(client, address.place)) === 0) return
  if (!replace) throw new HubError('restore-target-taken', `${address.place} holds a registry`)
  const tables = await client.query('select tablename from pg_tables where schemaname = current_schema()')
  for (const { tablename } of tables.rows) await client.query(`drop table "${String(tablename)}" cascade`)
  await client.query('drop function if exists refuse_change, announce_events')
}

/** The sessions of a hub that has just been stopped end a moment later. */
async function isAlone(client: Client): Promise<boolean> {
  for (let look = 0; look < 20; look++) {
    // A transaction sees the sessions as they were at its first look.
    await client.query('select pg_stat_clear_snapshot()')
    const { rows } = await client.query(
      `select count(*)::int as others from pg_stat_activity
       where application_name = 'handfast' and datname = current_database() and pid <> pg_backend_pid()`,
    )
    if (rows[0]?.others === 0) return true
    await delay(100)
  }
  return false
}

function restorerOver(client: Client, { place }: DatabaseAddress, tables: readonly TableShape[]): RegistryRestorer {
  const insert = async (name: string, columns: readonly string[], rows: readonly Row[]): Promise<void> => {
    const names = columns.map((column) => `"${column}"`).join(', ')
    const rowsAtOnce = Math.floor(parametersMax / columns.length)
    for (let start = 0; start < rows.length; start += rowsAtOnce) {
      const some = rows.slice(start, start + rowsAtOnce)
      const values = some.map((_, row) => `(${columns.map((_, column) => `$${row * columns.length + column + 1}`)})`)
      const text = `insert into "${name}" (${names}) values ${values.join(', ')}`
      await asDamage(() => client.query(statement(text, some.flat())))
    }
  }
  const shape = (name: string): readonly string[] =>
    tables.find((each) => each.name === name)?.columns.map((column) => column.name) ?? []
  return {
    tables,
    insert: (table, rows) => insert(table, shape(table), rows),
    insertSealedKeys: (keys) => insert('sealed_keys', ['name', 'content'], [...keys]),
    async setSetting(name, value) {
      const text = 'insert into settings (name, value) values ($1, $2) on conflict (name) do update set value = $2'
      await client.query(statement(text, [name, value]))
    },
    async finish() {
      for (const table of tables) await passCounter(client, table)
      await migrateWithin(client, place, steps.length)
      await client.query('commit')
      await client.end()
    },
    abandon: () => client.end(),
  }
}

/** The database must not assign a number that came with the rows. */
async function passCounter(client: Client, { name, columns }: TableShape): Promise<void> {
  if (!columns.some((column) => column.name === 'number' && column.kind === 'integer')) return
  await client.query(`
    select setval(sequence, highest) from
      (select pg_get_serial_sequence('"${name}"', 'number') as sequence, max(number) as highest from "${name}") as counter
    where sequence is not null and highest is not null`)
}

/** Rows that break a constraint are not ours to mend. */
async function asDamage(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (!sqlState(cause).startsWith('23')) throw cause
    throw new HubError('backup-damaged', `the database refuses a row: ${(cause as Error).message}`, { cause })
  }
}
