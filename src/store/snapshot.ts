/** A snapshot over a transaction that only reads and sees one moment, the same for every database. */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import { assert, HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Cell, CellKind, RegistrySnapshot, Row, TableShape } from '../hub/ports/snapshot.ts'
import { backedUpTables, keyColumns } from './backed-up-tables.ts'
import { steps } from './migrations.ts'
import type { Schema } from './schema.ts'
import { readersOver } from './tables.ts'

export interface SnapshotParts {
  readonly version: number
  /** Inside the transaction. */
  readonly queries: Kysely<Schema>
  /** See {@link tableShapes}. */
  readonly columns: RawBuilder<ColumnRow>
  /** Ends the transaction and the connection. */
  close(): Promise<void>
}

export async function snapshotOver({ version, queries, columns, close }: SnapshotParts): Promise<RegistrySnapshot> {
  const tables = await tableShapes(queries, columns)
  return {
    version,
    registry: readersOver(() => queries),
    tables,
    rows(name, by) {
      const table = tables.find((each) => each.name === name)
      const key = keyColumns(name)
      assert(table !== undefined && key !== null, `there is no table ${name} in a snapshot`)
      // A table of an older version may lack a column of its key, and rows are told apart there without it.
      const there = key.filter((column) => table.columns.some((each) => each.name === column))
      return rowsOf(queries, table, by ?? there)
    },
    close,
  }
}

/** A column of any table, as the database describes it. */
export interface ColumnRow {
  readonly table_name: string
  readonly column_name: string
  readonly data_type: string
}

/**
 * The shapes of the tables that belong into a backup, in the order of {@link backedUpTables}; those that are not there are
 * left out.
 *
 * @param columns asks the database for all columns, those of a table in their order
 */
export async function tableShapes(
  queries: Kysely<Schema>,
  columns: RawBuilder<ColumnRow>,
): Promise<readonly TableShape[]> {
  const { rows } = await columns.execute(queries)
  const found = Map.groupBy(rows, (row) => row.table_name)
  return Object.keys(backedUpTables).flatMap((name) => {
    const table = found.get(name)
    if (table === undefined) return []
    return [{ name, columns: table.map((row) => ({ name: row.column_name, kind: kindOf(row.data_type) })) }]
  })
}

/**
 * @param version of the schema that rows are of, which are about to come
 * @throws HubError `backup-too-new`, `backup-damaged`
 */
export function assertKnownVersion(version: number): void {
  if (version > steps.length) {
    const known = `this Handfast knows versions up to ${steps.length}`
    throw new HubError('backup-too-new', `the backup is of registry version ${version}, and ${known}`)
  }
  if (version < 1) throw new HubError('backup-damaged', `the backup is of registry version ${version}`)
}

const kinds: Readonly<Record<string, CellKind>> = {
  text: 'text',
  integer: 'integer',
  bigint: 'integer',
  blob: 'bytes',
  bytea: 'bytes',
}

function kindOf(dataType: string): CellKind {
  const kind = kinds[dataType.toLowerCase()]
  assert(kind !== undefined, `a column has the unknown type ${dataType}`)
  return kind
}

async function* rowsOf(
  queries: Kysely<Schema>,
  table: TableShape,
  by: readonly string[],
): AsyncGenerator<readonly Row[]> {
  const names = table.columns.map(({ name }) => name)
  const keys = by.map((name) => names.indexOf(name))
  assert(
    keys.every((index) => index >= 0),
    `${table.name} has no columns ${by.join(', ')}`,
  )
  const keyList = sql.join(by.map((name) => sql.ref(name)))
  let behind: readonly Cell[] | null = null
  for (;;) {
    const from: ReturnType<typeof sql<SqlBool>> =
      behind === null ? sql<SqlBool>`true` : sql<SqlBool>`(${keyList}) > (${sql.join(behind)})`
    const { rows } = await sql<Readonly<Record<string, Cell>>>`
      select ${sql.join(names.map((name) => sql.ref(name)))} from ${sql.table(table.name)}
      where ${from} order by ${keyList} limit ${sql.lit(limits.snapshotRowsMax)}`.execute(queries)
    const cells = rows.map((row): Row => names.map((name) => row[name] ?? null))
    const last = cells.at(-1)
    if (last === undefined) return
    yield cells
    if (cells.length < limits.snapshotRowsMax) return
    behind = keys.map((index) => last[index] ?? null)
  }
}
