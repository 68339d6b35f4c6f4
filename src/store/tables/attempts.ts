import type { Insertable, Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Attempt, AttemptQuery, NewAttempt } from '../../hub/ports/attempts.ts'
import type { Page } from '../../hub/ports/page.ts'
import type { AttemptReader, AttemptWriter } from '../../hub/ports/store.ts'
import type { Access, AttemptTable } from '../schema.ts'
import { inGroups } from './in-groups.ts'
import { boundedPage, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

/** Rows in one INSERT: 12 columns each, far below the 32,766 values that SQLite binds and the 65,535 of PostgreSQL. */
const rowsInInsert = 100

export function attemptReader(access: Access): AttemptReader {
  return { list: (query) => list(access, query) }
}

export function attemptWriter(access: Access): AttemptWriter {
  return {
    async insertAll(attempts) {
      for (let start = 0; start < attempts.length; start += rowsInInsert) {
        const rows = attempts.slice(start, start + rowsInInsert).map(rowOf)
        await access().insertInto('attempts').values(rows).execute()
      }
    },
    async keepNewest(count) {
      assert(Number.isInteger(count) && count >= 0, 'keepNewest wants a whole number')
      const database = access()
      const newestToGo = database
        .selectFrom('attempts')
        .select('number')
        .orderBy('number', 'desc')
        .limit(1)
        .offset(count)
      await database.deleteFrom('attempts').where('number', '<=', newestToGo).execute()
    },
  }
}

async function list(access: Access, query: AttemptQuery): Promise<Page<Attempt>> {
  const newestFirst = query.order === 'newest'
  const list = newestFirst ? 'attempts-newest' : 'attempts-oldest'
  const candidates = candidatesOf(access, query, list)
  let rows = access()
    .selectFrom(candidates.limit(limits.pageRowsReadMax).as('candidates'))
    .selectAll()
    .orderBy('number', newestFirst ? 'desc' : 'asc')
    .limit(rowsToRead(query))
  // One of these has chosen the candidates already; asking again costs nothing.
  if (query.outcome !== undefined) rows = rows.where('outcome', '=', query.outcome)
  if (query.identityId !== undefined) rows = rows.where('identity_id', '=', query.identityId)
  if (query.code !== undefined) rows = rows.where('code', '=', query.code)
  if (query.fromMs !== undefined) rows = rows.where('at_ms', '>=', query.fromMs)
  const { inGroups: groups } = query
  if (groups !== undefined) rows = rows.where(inGroups('candidates.identity_id', groups))
  return boundedPage(await rows.execute(), query, read, {
    cursor: (row) => writeCursor(list, String(row.number)),
    lastCandidate: () =>
      candidates
        .offset(limits.pageRowsReadMax - 1)
        .limit(1)
        .executeTakeFirst(),
  })
}

/** Attempts by the one filter that leaves the fewest, in order, found through an index. */
function candidatesOf(access: Access, query: AttemptQuery, list: 'attempts-newest' | 'attempts-oldest') {
  const newestFirst = query.order === 'newest'
  let rows = access()
    .selectFrom('attempts')
    .selectAll()
    .orderBy('number', newestFirst ? 'desc' : 'asc')
  if (query.identityId !== undefined) rows = rows.where('identity_id', '=', query.identityId)
  else if (query.code !== undefined) rows = rows.where('code', '=', query.code)
  else if (query.outcome !== undefined) rows = rows.where('outcome', '=', query.outcome)
  if (query.since !== undefined) rows = rows.where('number', '>', query.since)
  if (query.after === null) return rows
  const [number = 0] = readNumberCursor(list, query.after, 1)
  return rows.where('number', newestFirst ? '<' : '>', number)
}

function rowOf(attempt: NewAttempt): Insertable<AttemptTable> {
  return {
    at_ms: attempt.atMs,
    listener: attempt.listener,
    address: attempt.address,
    stage: attempt.stage,
    outcome: attempt.outcome,
    code: attempt.code,
    sentence: attempt.sentence,
    identity_id: attempt.identityId,
    client_id: attempt.clientId,
    tls_version: attempt.tlsVersion,
    mqtt_version: attempt.mqttVersion,
    certificate: attempt.certificate === null ? null : JSON.stringify(attempt.certificate),
  }
}

function read(row: Selectable<AttemptTable>): Attempt {
  return {
    number: row.number,
    atMs: row.at_ms,
    listener: row.listener,
    address: row.address,
    stage: row.stage,
    outcome: row.outcome,
    code: row.code,
    sentence: row.sentence,
    identityId: row.identity_id,
    clientId: row.client_id,
    tlsVersion: row.tls_version,
    mqttVersion: row.mqtt_version,
    certificate: row.certificate === null ? null : JSON.parse(row.certificate),
  }
}
