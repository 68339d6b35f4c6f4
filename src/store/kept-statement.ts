/**
 * Statements that every issuance and every connection runs. Building one takes longer than running it, so its text is built
 * once for a database, and only the values change.
 */
import { CompiledQuery, type Kysely } from 'kysely'
import { assert } from '../core/errors.ts'
import type { Schema } from './schema.ts'

type Values = readonly unknown[]

/** A statement that takes its values in the order in which it names them. */
export interface KeptStatement<Row> {
  /** @returns how many rows it has changed */
  run(database: Kysely<Schema>, row: Row): Promise<bigint>
}

/**
 * @param build the statement for a row, as always
 * @param valuesOf the values of a row, in the order in which the statement names them
 */
export function keptStatement<Row>(
  build: (database: Kysely<Schema>, row: Row) => { compile(): CompiledQuery },
  valuesOf: (row: Row) => Values,
): KeptStatement<Row> {
  const compiled = keptText(build, valuesOf)
  return {
    async run(database, row) {
      const result = await database.executeQuery(compiled(database, row))
      return result.numAffectedRows ?? 0n
    },
  }
}

/** A query that takes its values in the order in which it names them. */
export interface KeptQuery<Key, Row> {
  /** The first row that it finds. */
  first(database: Kysely<Schema>, key: Key): Promise<Row | null>
}

/**
 * @param build the query for a key, as always
 * @param valuesOf the values of a key, in the order in which the query names them
 */
export function keptQuery<Key, Row>(
  build: (database: Kysely<Schema>, key: Key) => { compile(): CompiledQuery<Row> },
  valuesOf: (key: Key) => Values,
): KeptQuery<Key, Row> {
  const compiled = keptText(build, valuesOf)
  return {
    async first(database, key) {
      const { rows } = await database.executeQuery<Row>(compiled(database, key))
      return rows[0] ?? null
    },
  }
}

/** Builds a statement once for each database. */
function keptText<Input>(
  build: (database: Kysely<Schema>, input: Input) => { compile(): CompiledQuery },
  valuesOf: (input: Input) => Values,
): (database: Kysely<Schema>, input: Input) => CompiledQuery<never> {
  const texts = new WeakMap<Kysely<Schema>, string>()
  return (database, input) => {
    const kept = texts.get(database)
    if (kept !== undefined) return CompiledQuery.raw(kept, [...valuesOf(input)]) as CompiledQuery<never>
    const { sql, parameters } = build(database, input).compile()
    const values = valuesOf(input)
    const isSame = parameters.length === values.length && parameters.every((value, place) => value === values[place])
    assert(isSame, 'a kept statement names its values in the order in which they are given')
    texts.set(database, sql)
    return CompiledQuery.raw(sql, [...values]) as CompiledQuery<never>
  }
}
