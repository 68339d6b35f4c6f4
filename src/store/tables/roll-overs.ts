import type { Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import type { RollOverReader, RollOverRow, RollOvers } from '../../hub/ports/authorities.ts'
import type { Access, RollOverTable } from '../schema.ts'

export function rollOverReader(access: Access): RollOverReader {
  return {
    async all() {
      return (await access().selectFrom('roll_overs').selectAll().orderBy('number', 'desc').execute()).map(read)
    },
    async acknowledged(rootId) {
      const row = await access()
        .selectFrom('root_acknowledgements')
        .select((table) => table.fn.countAll<number | string>().as('count'))
        .where('root_id', '=', rootId)
        .executeTakeFirst()
      return Number(row?.count ?? 0)
    },
    async standing(rootId) {
      const devices = () => access().selectFrom('identities').where('kind', '=', 'device').where('state', '=', 'active')
      const all = await devices()
        .select((table) => table.fn.countAll<number | string>().as('count'))
        .executeTakeFirst()
      const known = await devices()
        .innerJoin('root_acknowledgements', 'identity_id', 'id')
        .where('root_id', '=', rootId)
        .select((table) => table.fn.countAll<number | string>().as('count'))
        .executeTakeFirst()
      return { devices: Number(all?.count ?? 0), acknowledged: Number(known?.count ?? 0) }
    },
    async unknown(rootId, limit) {
      const rows = await access()
        .selectFrom('identities')
        .select('id')
        .where('kind', '=', 'device')
        .where('state', '=', 'active')
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('root_acknowledgements')
                .select('at_ms')
                .where('root_id', '=', rootId)
                .whereRef('identity_id', '=', 'identities.id'),
            ),
          ),
        )
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(({ id }) => id)
    },
    async hasAcknowledged(rootId, id) {
      const row = await access()
        .selectFrom('root_acknowledgements')
        .select('at_ms')
        .where('root_id', '=', rootId)
        .where('identity_id', '=', id)
        .executeTakeFirst()
      return row !== undefined
    },
  }
}

export function rollOvers(access: Access): RollOvers {
  return {
    ...rollOverReader(access),
    async insert(row) {
      await access()
        .insertInto('roll_overs')
        .values({
          id: row.id,
          role: row.role,
          chain: row.chain,
          from_id: row.fromId,
          to_id: row.toId,
          started_at_ms: row.startedAtMs,
          ...changing(row),
        })
        .execute()
    },
    async update(row) {
      const result = await access()
        .updateTable('roll_overs')
        .set(changing(row))
        .where('id', '=', row.id)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'a roll-over is updated that was never inserted')
    },
    async acknowledge(rootId, id, how, atMs) {
      const result = await access()
        .insertInto('root_acknowledgements')
        .values({ root_id: rootId, identity_id: id, how, at_ms: atMs })
        .onConflict((conflict) => conflict.columns(['root_id', 'identity_id']).doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
  }
}

function changing(row: RollOverRow) {
  return {
    state: row.state,
    is_paused: row.isPaused ? 1 : 0,
    share_percent: row.sharePercent,
    changed_at_ms: row.changedAtMs,
  }
}

function read(row: Selectable<RollOverTable>): RollOverRow {
  return {
    id: row.id,
    role: row.role,
    chain: row.chain,
    fromId: row.from_id,
    toId: row.to_id,
    state: row.state,
    isPaused: row.is_paused === 1,
    sharePercent: row.share_percent,
    startedAtMs: row.started_at_ms,
    changedAtMs: row.changed_at_ms,
  }
}
