/**
 * node:sqlite under Kysely: the shape that Kysely's SQLite dialect wants, with the errors of this house.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Kysely, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely'
import { CodingError, HubError } from '../../core/errors.ts'
import { bindable } from '../bindable.ts'
import type { Schema } from '../schema.ts'

/**
 * Time that a statement waits for another process, a backup or a curious `sqlite3`, to free the file, in milliseconds. The
 * whole process waits with it, so it is short.
 */
const busyMs = 1_000

/** Compiled statements that are kept; the hub has about 60 different ones. */
const statementsKept = 256

/** The write-ahead log is cut back to this after a checkpoint, in bytes. */
const walBytesKept = 64 * 1024 * 1024

/** The connection that writes. Everything that it commits is on disk. */
export function openWriter(path: string): DatabaseSync {
  const database = new DatabaseSync(path, {
    timeout: busyMs,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
  })
  try {
    database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma journal_size_limit = ${walBytesKept};
      pragma trusted_schema = off;
    `)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/** A connection that reads what is committed and cannot write. The writer must be open before it. */
export function openReader(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: busyMs, readOnly: true, enableDoubleQuotedStringLiterals: false })
}

/** Kysely over a connection that somebody else opens, closes and runs transactions on. */
export function queriesOver(database: DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: new Adapter(database) }) })
}

/**
 * What an error of node:sqlite means: statements that are wrong and constraints that are broken are mistakes of ours, all
 * else is the database's.
 */
export function storeError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const closed = error.code === 'ERR_INVALID_STATE'
  if (error.code !== 'ERR_SQLITE_ERROR' && !closed) return error
  if (!closed && ourMistakes.has(primaryCode(error))) {
    return new CodingError(`a statement was refused: ${error.message}`, { cause: error })
  }
  const message = closed ? 'the registry is closed' : 'the database refused a statement'
  return new HubError('store-unavailable', message, { cause: error })
}

/** True for an error that says the file is no database, or a damaged one. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && [11, 26].includes(primaryCode(error))
}

/** SQLITE_ERROR, TOOBIG, CONSTRAINT, MISMATCH, MISUSE, RANGE. */
const ourMistakes: ReadonlySet<number> = new Set([1, 18, 19, 20, 21, 25])

function primaryCode(error: Error): number {
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : -1
}

class Adapter implements SqliteDatabase {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Statement>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  prepare(sql: string): SqliteStatement {
    const kept = this.#statements.get(sql)
    if (kept !== undefined) return kept
    const statement = guarded(() => new Statement(this.#database.prepare(sql)))
    if (this.#statements.size >= statementsKept) this.#statements.clear()
    this.#statements.set(sql, statement)
    return statement
  }

  close(): void {
    this.#statements.clear()
  }
}

class Statement implements SqliteStatement {
  readonly #statement: StatementSync
  readonly reader: boolean

  constructor(statement: StatementSync) {
    this.#statement = statement
    this.reader = statement.columns().length > 0
  }

  all(parameters: readonly unknown[]): unknown[] {
    return guarded(() => this.#statement.all(...bindable(parameters)))
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return guarded(() => this.#statement.run(...bindable(parameters)))
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return guarded(() => this.#statement.iterate(...bindable(parameters)))
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeError(error)
  }
}
