import type { Selectable } from 'kysely'
import { assert, HubError, quote } from '../../core/errors.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Identity } from '../../core/identity/identity.ts'
import type { Identities, IdentityQuery, IdentityReader, Page } from '../../hub/ports/store.ts'
import type { Access, IdentityTable } from '../schema.ts'
import { pageOf, rowsToRead } from './page.ts'

export function identityReader(access: Access): IdentityReader {
  return {
    async find(id) {
      const row = await access().selectFrom('identities').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    list: (query) => list(access, query),
  }
}

export function identities(access: Access): Identities {
  return {
    ...identityReader(access),
    async insert(identity) {
      // A row of a retired identity stays, so its id is refused like any other.
      const result = await access()
        .insertInto('identities')
        .values({ id: identity.id, kind: identity.kind, created_at_ms: identity.createdAtMs, ...changing(identity) })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst()
      if (result.numInsertedOrUpdatedRows === 0n) {
        throw new HubError('identity-exists', `there is an identity ${quote(identity.id)} already`)
      }
    },
    async update(identity) {
      const result = await access()
        .updateTable('identities')
        .set(changing(identity))
        .where('id', '=', identity.id)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'an identity is updated that was never inserted')
    },
  }
}

async function list(access: Access, query: IdentityQuery): Promise<Page<Identity>> {
  let rows = access().selectFrom('identities').selectAll().orderBy('id').limit(rowsToRead(query))
  if (query.kind !== undefined) rows = rows.where('kind', '=', query.kind)
  if (query.state !== undefined) rows = rows.where('state', '=', query.state)
  if (query.group !== undefined) rows = rows.where('group_name', '=', query.group)
  // The cursor is the last id of the page before; any text is one.
  if (query.after !== null) rows = rows.where('id', '>', query.after as IdentityId)
  return pageOf(await rows.execute(), query, read, (row) => row.id)
}

function changing(identity: Identity): Pick<IdentityTable, 'state' | 'group_name' | 'attributes' | 'updated_at_ms'> {
  return {
    state: identity.state,
    group_name: identity.group,
    attributes: JSON.stringify(identity.attributes),
    updated_at_ms: identity.updatedAtMs,
  }
}

function read(row: Selectable<IdentityTable>): Identity {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    group: row.group_name,
    attributes: JSON.parse(row.attributes),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }
}
