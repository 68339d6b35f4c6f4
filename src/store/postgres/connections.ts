/** Connections to PostgreSQL: how they are opened and what they are told before their first statement. */
import { createHash } from 'node:crypto'
import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import type { limits } from '../../core/limits.ts'
import { bindable } from '../bindable.ts'
import type { Schema } from '../schema.ts'
import type { DatabaseAddress } from './address.ts'
import { storeError } from './errors.ts'

export type Client = InstanceType<typeof pg.Client>
export type Pool = InstanceType<typeof pg.Pool>

/** What a statement answers with. */
export type Result = pg.QueryResult<Record<string, unknown>>

/** Something that runs a statement. */
export interface Runner {
  run(text: string, values: readonly unknown[]): Promise<Result>
}

/** The limits of `core/limits.ts` that hold for a database server, so that a test need not wait for them. */
export type DatabaseLimits = Record<
  keyof typeof limits & ('databaseConnectMs' | 'databaseStatementMs' | 'databaseRetryMs' | 'databaseReadersMax'),
  number
>

/** Where the database is and how long it is waited for. */
export interface Database {
  readonly address: DatabaseAddress
  readonly limits: DatabaseLimits
}

function settings({ address, limits }: Database): pg.ClientConfig {
  return {
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    // The environment of the process must not fill in what the URL left out.
    password: address.password?.reveal() ?? '',
    ssl: address.tls === false ? false : { ...address.tls },
    application_name: 'handfast',
    connectionTimeoutMillis: limits.databaseConnectMs,
    // A server that stands still says nothing: then this side gives up, a little later than the server would.
    query_timeout: Math.ceil(limits.databaseStatementMs * 1.3),
    statement_timeout: limits.databaseStatementMs,
    lock_timeout: limits.databaseStatementMs,
    // A process that hangs with an open transaction must not hold up those it shares the registry with.
    idle_in_transaction_session_timeout: limits.databaseStatementMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser },
    // Whatever the server's default is: what is acknowledged is on its disk.
    options: '-c synchronous_commit=on -c client_min_messages=warning',
  }
}

/**
 * @param onLost called, perhaps more than once, when a connection that stood is gone, also after `end`
 * @throws the error of the driver or the server
 */
export async function openClient(database: Database, onLost: (client: Client, cause: Error) => void): Promise<Client> {
  const client = new pg.Client({ ...settings(database), pipeline: true })
  let stood = false
  const lost = (cause: Error): void => {
    if (stood) onLost(client, cause)
  }
  client.on('error', lost)
  client.on('end', () => lost(new Error('the connection was ended')))
  await client.connect()
  stood = true
  return client
}

export function openPool(database: Database): Pool {
  const max = database.limits.databaseReadersMax
  const pool = new pg.Pool({ ...settings(database), max, idleTimeoutMillis: 60_000 })
  // A connection that is lost is replaced when it is needed; one that is in use says so to who uses it as well.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

const int8 = 20
const bytea = 17

/** Numbers stay below 2^53, as the schema says; bytes are plain, so that no pooled buffer is kept alive by a row. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === int8) return Number
  if (oid === bytea) return (value) => new Uint8Array(Buffer.from(value.slice(2), 'hex'))
  return pg.types.getTypeParser(oid, format as 'text')
}

/** Statements that a connection keeps prepared; the hub has about 80 different ones, and those in bulk are not kept. */
const preparedMax = 256
const preparedCharsMax = 2_000
const names = new Map<string, string>()

/** A statement as the driver takes it: prepared at its first use on each connection, planned once. */
export function statement(text: string, values: readonly unknown[]): pg.QueryConfig {
  const query = { text, values: bindable(values) }
  const name = nameOf(text)
  return name === null ? query : { ...query, name }
}

function nameOf(text: string): string | null {
  const known = names.get(text)
  if (known !== undefined) return known
  if (text.length > preparedCharsMax || names.size >= preparedMax) return null
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 22)
  names.set(text, name)
  return name
}

/** Kysely over whatever connection runs the statement. Transactions are somebody else's. */
export function queriesOver(runner: Runner): Kysely<Schema> {
  const client = {
    async query(text: string, values: readonly unknown[]) {
      try {
        return await runner.run(text, values)
      } catch (error) {
        throw storeError(error)
      }
    },
    release() {},
  } as unknown as PostgresPoolClient
  return new Kysely<Schema>({
    dialect: new PostgresDialect({ pool: { options: {}, connect: async () => client, end: async () => {} } }),
  })
}
