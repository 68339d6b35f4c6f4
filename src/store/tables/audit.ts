import type { AuditEntry } from '../../hub/ports/audit.ts'
import type { AuditReader, AuditWriter } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'
import { pageOf, parseCursor, rowsToRead } from './page.ts'

export function auditReader(access: Access): AuditReader {
  return {
    async list(query) {
      let rows = access().selectFrom('audit').selectAll().orderBy('number', 'desc').limit(rowsToRead(query))
      if (query.after !== null) {
        const [number = 0] = parseCursor(query.after, 1)
        rows = rows.where('number', '<', number)
      }
      return pageOf(
        await rows.execute(),
        query,
        (row): AuditEntry => ({
          number: row.number,
          atMs: row.at_ms,
          actor: row.actor,
          act: row.act,
          subject: row.subject,
          before: JSON.parse(row.before_json),
          after: JSON.parse(row.after_json),
        }),
        (row) => String(row.number),
      )
    },
  }
}

export function auditWriter(access: Access): AuditWriter {
  return {
    async append(entry) {
      await access()
        .insertInto('audit')
        .values({
          at_ms: entry.atMs,
          actor: entry.actor,
          act: entry.act,
          subject: entry.subject,
          before_json: JSON.stringify(entry.before ?? null),
          after_json: JSON.stringify(entry.after ?? null),
        })
        .execute()
    },
  }
}
