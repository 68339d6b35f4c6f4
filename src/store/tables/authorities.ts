import type { Authorities, AuthorityReader } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

export function authorityReader(access: Access): AuthorityReader {
  return {
    async all() {
      const rows = await access().selectFrom('authorities').selectAll().orderBy('number').execute()
      return rows.map((row) => ({
        id: row.id,
        role: row.role,
        certificate: row.certificate,
        createdAtMs: row.created_at_ms,
      }))
    },
  }
}

export function authorities(access: Access): Authorities {
  return {
    ...authorityReader(access),
    async insert(authority) {
      await access()
        .insertInto('authorities')
        .values({
          id: authority.id,
          role: authority.role,
          certificate: authority.certificate,
          created_at_ms: authority.createdAtMs,
        })
        .execute()
    },
  }
}
