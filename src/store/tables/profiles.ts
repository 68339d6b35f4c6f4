import { type Selectable, sql } from 'kysely'
import { assert } from '../../core/errors.ts'
import { credentialStates } from '../../core/identity/credential.ts'
import type { ProfileReader, ProfileRow, Profiles } from '../../hub/ports/grants.ts'
import type { Access, ProfileTable } from '../schema.ts'

export function profileReader(access: Access): ProfileReader {
  return {
    async find(name) {
      const row = await access().selectFrom('profiles').selectAll().where('name', '=', name).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async all() {
      return (await access().selectFrom('profiles').selectAll().orderBy('name').execute()).map(read)
    },
    async isGranted(name) {
      // Names hold nothing that LIKE or JSON would take for more than a letter.
      assert(/^[a-z0-9-]+$/.test(name), 'a profile name is lower-case letters, digits and "-"')
      const row = await access()
        .selectFrom('identities')
        .select('id')
        .where('state', '!=', 'retired')
        .where('profiles', 'like', `%"${name}"%`)
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },
    async hasLiving(name, nowSec) {
      const row = await access()
        .selectFrom('credentials')
        .select('number')
        .where('profile', '=', name)
        // As in the index, which holds no others.
        .where(sql<boolean>`profile <> 'device'`)
        .where(
          'state',
          'in',
          credentialStates.filter((state) => state !== 'revoked' && state !== 'expired'),
        )
        .where('not_after_sec', '>=', nowSec)
        .limit(1)
        .executeTakeFirst()
      return row !== undefined
    },
  }
}

export function profiles(access: Access): Profiles {
  return {
    ...profileReader(access),
    async insert(row) {
      await access()
        .insertInto('profiles')
        .values({ name: row.name, created_at_ms: row.createdAtMs, ...changing(row) })
        .execute()
    },
    async update(row) {
      const result = await access()
        .updateTable('profiles')
        .set(changing(row))
        .where('name', '=', row.name)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'a profile is updated that was never inserted')
    },
    async remove(name) {
      await access().deleteFrom('profiles').where('name', '=', name).execute()
    },
  }
}

function changing({ definition, version, updatedAtMs }: ProfileRow) {
  return { definition, version, updated_at_ms: updatedAtMs }
}

function read(row: Selectable<ProfileTable>): ProfileRow {
  return {
    name: row.name,
    definition: row.definition,
    version: row.version,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }
}
