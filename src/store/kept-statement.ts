/**
 * Statements that every issuance runs. Building one takes longer than running it, so its text is built once for a database,
 * and only the values change.
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
  const texts = new WeakMap<Kysely<Schema>, string>()

  function textFor(database: Kysely<Schema>, row: Row): string {
    const kept = texts.get(database)
    if (kept !== undefined) return kept
    const { sql, parameters } = build(database, row).compile()
    const values = valuesOf(row)
    const isSame = parameters.length === values.length && parameters.every((value, place) => value === values[place])
    assert(isSame, 'a kept statement names its values in the order in which they are given')
    texts.set(database, sql)
    return sql
  }

  return {
    async run(database, row) {
      const result = await database.executeQuery(CompiledQuery.raw(textFor(database, row), [...valuesOf(row)]))
      return result.numAffectedRows ?? 0n
    },
  }
}
