/** Passwords, as scrypt hashes with what they were hashed at. */
import type { Insertable, Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import type { Password, PasswordState, ScryptCost } from '../../core/identity/password.ts'
import { limits } from '../../core/limits.ts'
import type { PasswordReader, Passwords } from '../../hub/ports/passwords.ts'
import type { Access, PasswordTable } from '../schema.ts'
import { assertBulk } from './page.ts'

export function passwordReader(access: Access): PasswordReader {
  return {
    async find(id) {
      const row = await access().selectFrom('passwords').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async standingOf(identityId) {
      const rows = await access()
        .selectFrom('passwords')
        .selectAll()
        .where('identity_id', '=', identityId)
        .where('state', 'in', ['pending', 'active', 'superseded'])
        .orderBy('number')
        .execute()
      return rows.map(read)
    },
    async listOfIdentity(identityId) {
      const rows = await access()
        .selectFrom('passwords')
        .selectAll()
        .where('identity_id', '=', identityId)
        .orderBy('number', 'desc')
        .limit(limits.pageRowsMax)
        .execute()
      return rows.map(read)
    },
    async overAt(atMs, limit) {
      const rows = await access()
        .selectFrom('passwords')
        .selectAll()
        .where('state', '=', 'superseded')
        .where('ended_at_ms', '<=', atMs)
        .orderBy('ended_at_ms')
        .limit(limit)
        .execute()
      return rows.map(read)
    },
    async statusOf(ids) {
      assertBulk(ids)
      if (ids.length === 0) return []
      const rows = await access()
        .selectFrom('passwords')
        .innerJoin('identities', 'identities.id', 'passwords.identity_id')
        .select(['passwords.id', 'passwords.state', 'identities.state as identity_state'])
        .where('passwords.id', 'in', ids)
        .execute()
      return rows.map((row) => ({
        id: row.id,
        state: row.state as PasswordState,
        identityState: row.identity_state,
      }))
    },
  }
}

export function passwords(access: Access): Passwords {
  return {
    ...passwordReader(access),
    async insert(password) {
      await access().insertInto('passwords').values(rowOf(password)).execute()
    },
    async update({ id, state, usedAtMs, supersededAtMs, endedAtMs }) {
      const result = await access()
        .updateTable('passwords')
        .set({ state, used_at_ms: usedAtMs, superseded_at_ms: supersededAtMs, ended_at_ms: endedAtMs })
        .where('id', '=', id)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'a password is updated that was never inserted')
    },
  }
}

function rowOf(password: Password): Insertable<PasswordTable> {
  return {
    id: password.id,
    identity_id: password.identityId,
    state: password.state,
    hash: password.hash,
    salt: password.salt,
    cost: JSON.stringify(password.cost),
    created_at_ms: password.createdAtMs,
    used_at_ms: password.usedAtMs,
    superseded_at_ms: password.supersededAtMs,
    ended_at_ms: password.endedAtMs,
  }
}

function read(row: Selectable<PasswordTable>): Password {
  return {
    id: row.id,
    identityId: row.identity_id,
    state: row.state as PasswordState,
    hash: row.hash,
    salt: row.salt,
    cost: JSON.parse(row.cost) as ScryptCost,
    createdAtMs: row.created_at_ms,
    usedAtMs: row.used_at_ms,
    supersededAtMs: row.superseded_at_ms,
    endedAtMs: row.ended_at_ms,
  }
}
