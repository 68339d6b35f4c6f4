import { type RawBuilder, sql } from 'kysely'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { RegistrySnapshot } from '../../hub/ports/snapshot.ts'
import { steps } from '../migrations.ts'
import { type ColumnRow, snapshotOver } from '../snapshot.ts'
import type { DatabaseAddress } from './address.ts'
import { type Client, openClient, queriesOver, statement } from './connections.ts'
import { readVersion } from './migrate.ts'
import { refusalOf } from './refusal.ts'

/**
 * The registry of a PostgreSQL database as it is now; hubs may go on writing.
 *
 * @throws HubError `database-unreachable`; `database-unusable` when it is no database of Handfast or of another version than
 *   this program's
 */
export async function openPostgresSnapshot(address: DatabaseAddress): Promise<RegistrySnapshot> {
  try {
    const client = await openClient({ address, limits }, () => {})
    try {
      return await snapshotOf(client, address)
    } catch (error) {
      await client.end()
      throw error
    }
  } catch (error) {
    throw error instanceof HubError ? error : refusalOf(error, address)
  }
}

async function snapshotOf(client: Client, { place }: DatabaseAddress): Promise<RegistrySnapshot> {
  await client.query(`begin transaction isolation level repeatable read, read only; ${patience}`)
  const version = await readVersion(client, place)
  if (version !== steps.length) {
    const isNone =
      version === 0 ? 'holds no registry' : `is of version ${version}, and this Handfast of ${steps.length}`
    throw new HubError('database-unusable', `${place} ${isNone}`, {
      hint: 'start the hub once with this Handfast, which brings it up to date',
    })
  }
  const queries = queriesOver({ run: (text, values) => client.query(statement(text, values)) })
  return snapshotOver({ version, queries, columns: postgresColumns, close: () => client.end() })
}

/** See `tableShapes`. */
export const postgresColumns: RawBuilder<ColumnRow> = sql<ColumnRow>`
  select table_name, column_name, data_type from information_schema.columns
  where table_schema = current_schema() order by table_name, ordinal_position`

/** A file that is written slowly must not end the transaction. */
export const patience = 'set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0'
