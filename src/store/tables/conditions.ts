import { type Insertable, type Selectable, sql } from 'kysely'
import { assert } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Condition, ConditionReader, Conditions, NewCondition } from '../../hub/ports/conditions.ts'
import type { Access, ConditionTable } from '../schema.ts'
import { pageOf, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

export function conditionReader(access: Access): ConditionReader {
  return {
    async standing() {
      const rows = await access()
        .selectFrom('conditions')
        .selectAll()
        .where('ended_at_ms', 'is', null)
        .orderBy('number')
        .limit(limits.conditionsStandingMax)
        .execute()
      return rows.map(read)
    },
    async list(query) {
      let rows = access().selectFrom('conditions').selectAll().orderBy('number', 'desc').limit(rowsToRead(query))
      const { endedFromMs } = query
      if (endedFromMs !== undefined) {
        rows = rows.where((row) => row.or([row('ended_at_ms', 'is', null), row('ended_at_ms', '>=', endedFromMs)]))
      }
      if (query.after !== null) {
        const [number = 0] = readNumberCursor('conditions', query.after, 1)
        rows = rows.where('number', '<', number)
      }
      return pageOf(await rows.execute(), query, read, ({ number }) => writeCursor('conditions', String(number)))
    },
  }
}

export function conditions(access: Access): Conditions {
  return {
    ...conditionReader(access),
    async insert(condition) {
      await access().insertInto('conditions').values(rowOf(condition)).execute()
    },
    async update(condition) {
      const { examples: _examples, began_at_ms: _beganAtMs, ...changing } = rowOf(condition)
      await access().updateTable('conditions').set(changing).where('number', '=', condition.number).execute()
    },
    async keepNewest(ended) {
      assert(Number.isInteger(ended) && ended >= 0, 'keepNewest wants a whole number')
      const database = access()
      const newestToGo = database
        .selectFrom('conditions')
        .select('number')
        .where('ended_at_ms', 'is not', null)
        .orderBy('number', 'desc')
        .limit(1)
        .offset(ended)
      await database
        .deleteFrom('conditions')
        .where('ended_at_ms', 'is not', null)
        .where(sql<boolean>`number <= ${newestToGo}`)
        .execute()
    },
  }
}

function rowOf(condition: NewCondition): Insertable<ConditionTable> {
  return {
    listener: condition.listener,
    code: condition.code,
    issuer: condition.issuer ?? '',
    identities_count: condition.parties.identities,
    certificates_count: condition.parties.certificates,
    networks_count: condition.parties.networks,
    is_sudden: condition.isSudden ? 1 : 0,
    examples: JSON.stringify(condition.examples),
    began_at_ms: condition.beganAtMs,
    last_at_ms: condition.lastAtMs,
    ended_at_ms: condition.endedAtMs,
  }
}

function read(row: Selectable<ConditionTable>): Condition {
  return {
    number: row.number,
    listener: row.listener,
    code: row.code,
    issuer: row.issuer === '' ? null : row.issuer,
    parties: { identities: row.identities_count, certificates: row.certificates_count, networks: row.networks_count },
    isSudden: row.is_sudden === 1,
    examples: JSON.parse(row.examples),
    beganAtMs: row.began_at_ms,
    lastAtMs: row.last_at_ms,
    endedAtMs: row.ended_at_ms,
  }
}
