import type { Selectable } from 'kysely'
import { withGrants } from '../../core/identity/identity.ts'
import type { Adoption, AdoptionReader, Adoptions } from '../../hub/ports/store.ts'
import type { Access, AdoptionTable } from '../schema.ts'
import { assertBulk, pageOf, readIdCursor, rowsToRead, writeCursor } from './page.ts'

export function adoptionReader(access: Access): AdoptionReader {
  return {
    async find(id) {
      const row = await access().selectFrom('adoptions').selectAll().where('identity_id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async list(query) {
      let rows = access().selectFrom('adoptions').selectAll().orderBy('identity_id').limit(rowsToRead(query))
      if (query.after !== null) {
        rows = rows.where('identity_id', '>', readIdCursor('adoptions', query.after))
      }
      return pageOf(await rows.execute(), query, read, (row) => writeCursor('adoptions', row.identity_id))
    },
    async count() {
      const row = await access()
        .selectFrom('adoptions')
        .select((table) => table.fn.countAll<number | string>().as('count'))
        .executeTakeFirst()
      return Number(row?.count ?? 0)
    },
  }
}

export function adoptions(access: Access): Adoptions {
  return {
    ...adoptionReader(access),
    async saveAll(adoptions) {
      assertBulk(adoptions)
      if (adoptions.length === 0) return
      await access()
        .insertInto('adoptions')
        .values(
          adoptions.map(({ identity, versionThen }) => ({
            identity_id: identity.id,
            identity: JSON.stringify(identity),
            version_then: versionThen,
          })),
        )
        .onConflict((conflict) =>
          conflict.column('identity_id').doUpdateSet((row) => ({
            identity: row.ref('excluded.identity'),
            version_then: row.ref('excluded.version_then'),
          })),
        )
        .execute()
    },
    async removeAll(ids) {
      assertBulk(ids)
      if (ids.length > 0) await access().deleteFrom('adoptions').where('identity_id', 'in', ids).execute()
    },
  }
}

function read(row: Selectable<AdoptionTable>): Adoption {
  return { identity: withGrants(JSON.parse(row.identity)), versionThen: row.version_then }
}
