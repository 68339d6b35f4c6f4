/** Versions of the policy, each with the file that it was given as. */
import type { Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import type { Policies, PolicyReader, PolicyRow, PolicyVersion } from '../../hub/ports/policies.ts'
import type { Access, PolicyTable } from '../schema.ts'

export function policyReader(access: Access): PolicyReader {
  return {
    async find(number) {
      const row = await access().selectFrom('policies').selectAll().where('number', '=', number).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async inState(state) {
      const row = await access()
        .selectFrom('policies')
        .selectAll()
        .where('state', '=', state)
        .orderBy('activated_at_ms', 'desc')
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async all() {
      return (await access().selectFrom('policies').select(columns).orderBy('number', 'desc').execute()).map(version)
    },
  }
}

export function policies(access: Access): Policies {
  return {
    ...policyReader(access),
    async insert(row) {
      const { number } = await access()
        .insertInto('policies')
        .values({
          created_at_ms: row.createdAtMs,
          created_by: row.createdBy,
          note: row.note,
          source: row.source,
          ...changing(row),
        })
        .returning('number')
        .executeTakeFirstOrThrow()
      return { ...row, number: Number(number) }
    },
    async update(row) {
      const { numUpdatedRows } = await access()
        .updateTable('policies')
        .set(changing(row))
        .where('number', '=', row.number)
        .executeTakeFirst()
      assert(numUpdatedRows === 1n, 'a policy is updated that was never inserted')
    },
    async remove(number) {
      await access().deleteFrom('policies').where('number', '=', number).execute()
    },
  }
}

/** All but the file. */
const columns = ['number', 'state', 'created_at_ms', 'created_by', 'note', 'changed_at_ms', 'activated_at_ms'] as const

function changing({ state, changedAtMs, activatedAtMs }: Omit<PolicyVersion, 'number'>) {
  return { state, changed_at_ms: changedAtMs, activated_at_ms: activatedAtMs }
}

function read(row: Selectable<PolicyTable>): PolicyRow {
  return { ...version(row), source: row.source }
}

function version(row: Pick<Selectable<PolicyTable>, (typeof columns)[number]>): PolicyVersion {
  return {
    number: row.number,
    state: row.state,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    note: row.note,
    changedAtMs: row.changed_at_ms,
    activatedAtMs: row.activated_at_ms,
  }
}
