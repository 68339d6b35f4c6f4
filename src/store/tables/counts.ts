/**
 * Counting in steps. SQLite answers on the thread that asks, 20,000 index entries in half a millisecond: between two steps
 * whatever else waits has its turn. Every step reads one index and no row.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import type { IdentityId } from '../../core/identity/id.ts'
import type { CountReader, EndingQuery } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

/** @param stepRows index entries that are read in one go */
export function countReader(access: Access, stepRows: number = 20_000): CountReader {
  return {
    credentialsEnding: (query) => credentialsEnding(access, query, stepRows),
    async identitiesIn(state) {
      const inState = () => access().selectFrom('identities').where('state', '=', state)
      let counted = 0
      let after = '' as IdentityId
      for (;;) {
        const last = await inState()
          .select('id')
          .where('id', '>', after)
          .orderBy('id')
          .offset(stepRows - 1)
          .limit(1)
          .executeTakeFirst()
        if (last === undefined) break
        counted += stepRows
        after = last.id
        await nextTurn()
      }
      const rest = inState().where('id', '>', after)
      return counted + countOf(await rest.select((row) => row.fn.countAll().as('count')).executeTakeFirst())
    },
  }
}

/** Many may end in the same second, so a step ends where the second changes: it can be longer by what one second holds. */
async function credentialsEnding(access: Access, query: EndingQuery, stepRows: number): Promise<number> {
  const { authorityId, state, beforeSec, profile } = query
  const from = (fromSec: number) => {
    const rows = access()
      .selectFrom('credentials')
      .where('authority_id', '=', authorityId)
      .where('state', '=', state)
      .where('not_after_sec', '>=', fromSec)
    // As in the index, which holds no others.
    return profile === undefined ? rows : rows.where('profile', '=', profile).where(sql<boolean>`profile <> 'device'`)
  }
  let counted = 0
  let { fromSec } = query
  while (fromSec < beforeSec) {
    const last = await from(fromSec)
      .select('not_after_sec')
      .where('not_after_sec', '<', beforeSec)
      .orderBy('not_after_sec')
      .offset(stepRows - 1)
      .limit(1)
      .executeTakeFirst()
    const stepEndSec = last === undefined ? beforeSec : last.not_after_sec + 1
    const step = from(fromSec).where('not_after_sec', '<', stepEndSec)
    counted += countOf(await step.select((row) => row.fn.countAll().as('count')).executeTakeFirst())
    fromSec = stepEndSec
    await nextTurn()
  }
  return counted
}

/** Databases count in their own kinds of number. */
function countOf(row: { readonly count: number | bigint | string } | undefined): number {
  return Number(row?.count ?? 0)
}
