import type { Insertable, Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import type { Token } from '../../core/identity/token.ts'
import type { TokenReader, Tokens } from '../../hub/ports/store.ts'
import type { Access, TokenTable } from '../schema.ts'
import { assertBulk } from './page.ts'

export function tokenReader(access: Access): TokenReader {
  return {
    async find(id) {
      const row = await access().selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async openOf(identityId) {
      const rows = await access()
        .selectFrom('tokens')
        .selectAll()
        .where('identity_id', '=', identityId)
        .where('state', '=', 'open')
        .orderBy('number')
        .execute()
      return rows.map(read)
    },
  }
}

export function tokens(access: Access): Tokens {
  return {
    ...tokenReader(access),
    async insert(token) {
      await access().insertInto('tokens').values(rowOf(token)).execute()
    },
    async insertAll(tokens) {
      assertBulk(tokens)
      if (tokens.length > 0) await access().insertInto('tokens').values(tokens.map(rowOf)).execute()
    },
    async update(token) {
      const result = await access()
        .updateTable('tokens')
        .set({ state: token.state, expires_at_ms: token.expiresAtMs, used_at_ms: token.usedAtMs })
        .where('id', '=', token.id)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'a token is updated that was never inserted')
    },
  }
}

function rowOf(token: Token): Insertable<TokenTable> {
  return {
    id: token.id,
    secret_hash: token.secretHash,
    identity_id: token.identityId,
    profile: token.profile,
    needs_approval: token.needsApproval ? 1 : 0,
    state: token.state,
    created_at_ms: token.createdAtMs,
    expires_at_ms: token.expiresAtMs,
    used_at_ms: token.usedAtMs,
  }
}

function read(row: Selectable<TokenTable>): Token {
  return {
    id: row.id,
    secretHash: row.secret_hash,
    identityId: row.identity_id,
    profile: row.profile,
    needsApproval: row.needs_approval === 1,
    state: row.state,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    usedAtMs: row.used_at_ms,
  }
}
