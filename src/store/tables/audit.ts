import type { Selectable } from 'kysely'
import { auditChainStart, auditHash } from '../../core/audit/chain.ts'
import type { AuditEntry, AuditHead, NewAuditEntry } from '../../hub/ports/audit.ts'
import type { AuditReader, AuditWriter } from '../../hub/ports/store.ts'
import { keptStatement } from '../kept-statement.ts'
import type { Access, AuditTable } from '../schema.ts'
import type { LogEnds } from './log-ends.ts'
import { assertBulk, assertPage, pageOf, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

export function auditReader(access: Access): AuditReader {
  return {
    async list(query) {
      let rows = access().selectFrom('audit').selectAll().orderBy('number', 'desc').limit(rowsToRead(query))
      if (query.after !== null) {
        const [number = 0] = readNumberCursor('audit', query.after, 1)
        rows = rows.where('number', '<', number)
      }
      return pageOf(await rows.execute(), query, read, (row) => writeCursor('audit', String(row.number)))
    },
    async after(number, limit) {
      assertPage(limit)
      const rows = access().selectFrom('audit').selectAll().where('number', '>', number).orderBy('number').limit(limit)
      return (await rows.execute()).map(read)
    },
    head: () => readHead(access),
  }
}

export function auditWriter(access: Access, ends: LogEnds): AuditWriter {
  return {
    append: (entry) => appendAll(access, ends, [entry]),
    appendAll: (entries) => appendAll(access, ends, entries),
  }
}

const inserting = keptStatement<Selectable<AuditTable>>(
  (database, row) => database.insertInto('audit').values(row),
  (row) => Object.values(row),
)

/** Writers follow each other, so the entry that is the newest now is still the newest when this one is written. */
async function appendAll(access: Access, ends: LogEnds, entries: readonly NewAuditEntry[]): Promise<void> {
  if (entries.length === 0) return
  assertBulk(entries)
  let head = ends.audit ?? (await readHead(access))
  const rows = entries.map((entry) => {
    const { atMs, actor, act, subject, before, after } = entry
    const number = head.number + 1
    head = { number, hash: auditHash(head.hash, { ...entry, number }) }
    return {
      number,
      at_ms: atMs,
      actor,
      act,
      subject,
      before_json: JSON.stringify(before ?? null),
      after_json: JSON.stringify(after ?? null),
      hash: head.hash,
    }
  })
  const [first, ...more] = rows
  if (first !== undefined && more.length === 0) await inserting.run(access(), first)
  else await access().insertInto('audit').values(rows).execute()
  ends.audit = head
}

async function readHead(access: Access): Promise<AuditHead> {
  const row = await access()
    .selectFrom('audit')
    .select(['number', 'hash'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? { number: 0, hash: auditChainStart } : { number: row.number, hash: row.hash }
}

function read(row: Selectable<AuditTable>): AuditEntry {
  return {
    number: row.number,
    atMs: row.at_ms,
    actor: row.actor,
    act: row.act,
    subject: row.subject,
    before: JSON.parse(row.before_json),
    after: JSON.parse(row.after_json),
    hash: row.hash,
  }
}
