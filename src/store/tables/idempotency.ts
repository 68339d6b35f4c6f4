import type { Idempotency, IdempotencyReader } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'
import { assertPage } from './page.ts'

export function idempotencyReader(access: Access): IdempotencyReader {
  return {
    async find(key) {
      const row = await access().selectFrom('idempotency').selectAll().where('key', '=', key).executeTakeFirst()
      if (row === undefined) return null
      return { key: row.key, requestHash: row.request_hash, answer: row.answer, createdAtMs: row.created_at_ms }
    },
  }
}

export function idempotency(access: Access): Idempotency {
  return {
    ...idempotencyReader(access),
    async insert({ key, requestHash, answer, createdAtMs }) {
      await access()
        .insertInto('idempotency')
        .values({ key, request_hash: requestHash, created_at_ms: createdAtMs, answer })
        .execute()
    },
    async remove(key) {
      await access().deleteFrom('idempotency').where('key', '=', key).execute()
    },
    async removeBefore(createdAtMs, limit) {
      assertPage(limit)
      const oldest = access()
        .selectFrom('idempotency')
        .select('key')
        .where('created_at_ms', '<', createdAtMs)
        .orderBy('created_at_ms')
        .limit(limit)
      const result = await access().deleteFrom('idempotency').where('key', 'in', oldest).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}
