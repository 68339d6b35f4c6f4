import { type RawBuilder, sql } from 'kysely'
import type { Leases } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

/**
 * @param nowMs the time as an expression of the database: processes on different machines have different clocks, the
 *   database has one
 */
export function leases(access: Access, nowMs: () => RawBuilder<number>): Leases {
  return {
    async acquire(name, holder, ttlMs) {
      const values = { holder, expires_at_ms: sql<number>`${nowMs()} + ${sql.lit(Math.ceil(ttlMs))}` }
      const result = await access()
        .insertInto('leases')
        .values({ name, ...values })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet(values)
            .where((row) => row.or([row('leases.holder', '=', holder), row('leases.expires_at_ms', '<=', nowMs())])),
        )
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
    async release(name, holder) {
      await access().deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute()
    },
  }
}
