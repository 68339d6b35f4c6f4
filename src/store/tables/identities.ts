import type { Insertable, Selectable } from 'kysely'
import { assert, HubError, quote } from '../../core/errors.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Identity } from '../../core/identity/identity.ts'
import type { Identities, IdentityReader } from '../../hub/ports/store.ts'
import { keptQuery } from '../kept-statement.ts'
import type { Access, IdentityTable } from '../schema.ts'
import { insertAttributes, removeAttributes } from './identity-attributes.ts'
import { listIdentities } from './identity-list.ts'
import { assertBulk } from './page.ts'

export function identityReader(access: Access): IdentityReader {
  return {
    async find(id) {
      const row = await byId.first(access(), id)
      return row === null ? null : read(row)
    },
    async findAll(ids) {
      assertBulk(ids)
      if (ids.length === 0) return []
      return (await access().selectFrom('identities').selectAll().where('id', 'in', ids).execute()).map(read)
    },
    list: (query) => listIdentities(access, query, read),
  }
}

export function identities(access: Access): Identities {
  return {
    ...identityReader(access),
    insert: (identity) => insertAll(access, [identity]),
    insertAll: (identities) => insertAll(access, identities),
    async update(identity) {
      const before = await access()
        .selectFrom('identities')
        .select('attributes')
        .where('id', '=', identity.id)
        .executeTakeFirst()
      assert(before !== undefined, 'an identity is updated that was never inserted')
      const row = changing(identity)
      await access().updateTable('identities').set(row).where('id', '=', identity.id).execute()
      if (row.attributes === before.attributes) return
      await removeAttributes(access, identity.id, JSON.parse(before.attributes))
      await insertAttributes(access, [identity])
    },
  }
}

/** Asked at every connection. */
const byId = keptQuery<IdentityId, Selectable<IdentityTable>>(
  (database, id) => database.selectFrom('identities').selectAll().where('id', '=', id),
  (id) => [id],
)

/** A row of a retired identity stays, so its id is refused like any other. */
async function insertAll(access: Access, identities: readonly Identity[]): Promise<void> {
  if (identities.length === 0) return
  assertBulk(identities)
  const result = await access()
    .insertInto('identities')
    .values(identities.map(rowOf))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst()
  if (result.numInsertedOrUpdatedRows === BigInt(identities.length)) return insertAttributes(access, identities)
  const [first] = identities
  const which = identities.length === 1 ? `an identity ${quote(first?.id)}` : `one of ${identities.length} identities`
  throw new HubError('identity-exists', `there is ${which} already`)
}

function rowOf(identity: Identity): Insertable<IdentityTable> {
  return { id: identity.id, kind: identity.kind, created_at_ms: identity.createdAtMs, ...changing(identity) }
}

function changing(
  identity: Identity,
): Pick<
  IdentityTable,
  'state' | 'group_name' | 'attributes' | 'profiles' | 'names' | 'key_storage' | 'updated_at_ms' | 'version'
> {
  return {
    state: identity.state,
    group_name: identity.group,
    attributes: JSON.stringify(identity.attributes),
    profiles: JSON.stringify(identity.profiles),
    names: JSON.stringify(identity.names),
    key_storage: identity.keyStorage,
    updated_at_ms: identity.updatedAtMs,
    version: identity.version,
  }
}

function read(row: Selectable<IdentityTable>): Identity {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    group: row.group_name,
    attributes: JSON.parse(row.attributes),
    profiles: JSON.parse(row.profiles),
    names: JSON.parse(row.names),
    keyStorage: row.key_storage,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    version: row.version,
  }
}
