import type { ApiKeyReader, ApiKeys } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

export function apiKeyReader(access: Access): ApiKeyReader {
  return {
    async find(id) {
      const row = await access().selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
      if (row === undefined) return null
      return { id: row.id, name: row.name, secretHash: row.secret_hash, createdAtMs: row.created_at_ms }
    },
  }
}

export function apiKeys(access: Access): ApiKeys {
  return {
    ...apiKeyReader(access),
    async insert(key) {
      await access()
        .insertInto('api_keys')
        .values({ id: key.id, name: key.name, secret_hash: key.secretHash, created_at_ms: key.createdAtMs })
        .execute()
    },
    async removeNamed(name) {
      const rows = await access().deleteFrom('api_keys').where('name', '=', name).returning('id').execute()
      return rows.map(({ id }) => id)
    },
    async remove(id) {
      const result = await access().deleteFrom('api_keys').where('id', '=', id).executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}
