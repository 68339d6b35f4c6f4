import type { Selectable } from 'kysely'
import type { ApiKeyReader, ApiKeyRow, ApiKeys } from '../../hub/ports/grants.ts'
import type { Access, ApiKeyTable } from '../schema.ts'
import { pageOf, readIdCursor, rowsToRead, writeCursor } from './page.ts'

export function apiKeyReader(access: Access): ApiKeyReader {
  return {
    async find(id) {
      const row = await access().selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async named(name) {
      const row = await access()
        .selectFrom('api_keys')
        .selectAll()
        .where('name', '=', name)
        .orderBy('created_at_ms')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async list(query) {
      let rows = access().selectFrom('api_keys').selectAll().orderBy('id').limit(rowsToRead(query))
      if (query.after !== null) rows = rows.where('id', '>', readIdCursor('api-keys', query.after))
      return pageOf(await rows.execute(), query, read, (row) => writeCursor('api-keys', row.id))
    },
  }
}

export function apiKeys(access: Access): ApiKeys {
  return {
    ...apiKeyReader(access),
    async insert(key) {
      await access()
        .insertInto('api_keys')
        .values({
          id: key.id,
          name: key.name,
          secret_hash: key.secretHash,
          role: key.role,
          groups: JSON.stringify(key.groups),
          may_register: key.mayRegister ? 1 : 0,
          created_at_ms: key.createdAtMs,
          expires_at_ms: key.expiresAtMs,
        })
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

function read(row: Selectable<ApiKeyTable>): ApiKeyRow {
  return {
    id: row.id,
    name: row.name,
    secretHash: row.secret_hash,
    role: row.role,
    groups: JSON.parse(row.groups),
    mayRegister: row.may_register === 1,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  }
}
