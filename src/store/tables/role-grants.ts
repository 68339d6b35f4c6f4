import type { Selectable } from 'kysely'
import type { RoleGrantReader, RoleGrantRow, RoleGrants } from '../../hub/ports/grants.ts'
import type { Access, RoleGrantTable } from '../schema.ts'
import { pageOf, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

export function roleGrantReader(access: Access): RoleGrantReader {
  const rows = () => access().selectFrom('role_grants').selectAll().orderBy('number')
  return {
    async ofIdentity(id) {
      return (await rows().where('identity_id', '=', id).execute()).map(read)
    },
    async all(query) {
      let all = rows().limit(rowsToRead(query))
      if (query.after !== null) {
        const [number = 0] = readNumberCursor('role-grants', query.after, 1)
        all = all.where('number', '>', number)
      }
      return pageOf(await all.execute(), query, read, (row) => writeCursor('role-grants', `${row.number}`))
    },
  }
}

export function roleGrants(access: Access): RoleGrants {
  return {
    ...roleGrantReader(access),
    async insert({ identityId, role, group, mayRegister }) {
      const result = await access()
        .insertInto('role_grants')
        .values({ identity_id: identityId, role, group_name: group ?? '', may_register: mayRegister ? 1 : 0 })
        .onConflict((conflict) => conflict.columns(['identity_id', 'role', 'group_name']).doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    },
    async remove({ identityId, role, group }) {
      const result = await access()
        .deleteFrom('role_grants')
        .where('identity_id', '=', identityId)
        .where('role', '=', role)
        .where('group_name', '=', group ?? '')
        .executeTakeFirst()
      return result.numDeletedRows === 1n
    },
  }
}

function read(row: Selectable<RoleGrantTable>): RoleGrantRow {
  return {
    identityId: row.identity_id,
    role: row.role,
    group: row.group_name === '' ? null : row.group_name,
    mayRegister: row.may_register === 1,
  }
}
