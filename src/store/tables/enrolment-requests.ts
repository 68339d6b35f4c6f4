import type { Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import type {
  EnrolmentRequestReader,
  EnrolmentRequestRow,
  EnrolmentRequests,
} from '../../hub/ports/enrolment-requests.ts'
import type { Access, EnrolmentRequestTable } from '../schema.ts'
import { assertPage, pageOf, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

export function enrolmentRequestReader(access: Access): EnrolmentRequestReader {
  const rows = () => access().selectFrom('enrolment_requests').selectAll()
  return {
    async find(id) {
      const row = await rows().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async ofIdentity(id) {
      return (await rows().where('identity_id', '=', id).orderBy('number').execute()).map(read)
    },
    async waiting(query) {
      let waiting = rows().where('state', '=', 'waiting').orderBy('number').limit(rowsToRead(query))
      if (query.after !== null) {
        const [number = 0] = readNumberCursor('enrolment-requests', query.after, 1)
        waiting = waiting.where('number', '>', number)
      }
      return pageOf(await waiting.execute(), query, read, (row) => writeCursor('enrolment-requests', `${row.number}`))
    },
  }
}

export function enrolmentRequests(access: Access): EnrolmentRequests {
  return {
    ...enrolmentRequestReader(access),
    async insert(row) {
      await access()
        .insertInto('enrolment_requests')
        .values({
          id: row.id,
          identity_id: row.identityId,
          token_id: row.tokenId,
          parent_serial: row.parentSerial,
          profile: row.profile,
          public_key_hash: row.publicKeyHash,
          created_at_ms: row.createdAtMs,
          ...changing(row),
        })
        .execute()
    },
    async update(row) {
      const result = await access()
        .updateTable('enrolment_requests')
        .set(changing(row))
        .where('id', '=', row.id)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'an enrolment request is updated that was never inserted')
    },
    async removeBefore(createdAtMs, limit) {
      assertPage(limit)
      const result = await access()
        .deleteFrom('enrolment_requests')
        .where('number', 'in', (from) =>
          from
            .selectFrom('enrolment_requests')
            .select('number')
            .where('created_at_ms', '<', createdAtMs)
            .orderBy('created_at_ms')
            .limit(limit),
        )
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}

function changing({ state, decidedAtMs, decidedBy }: EnrolmentRequestRow) {
  return { state, decided_at_ms: decidedAtMs, decided_by: decidedBy }
}

function read(row: Selectable<EnrolmentRequestTable>): EnrolmentRequestRow {
  return {
    id: row.id,
    identityId: row.identity_id,
    tokenId: row.token_id,
    parentSerial: row.parent_serial,
    profile: row.profile,
    publicKeyHash: row.public_key_hash,
    state: row.state,
    createdAtMs: row.created_at_ms,
    decidedAtMs: row.decided_at_ms,
    decidedBy: row.decided_by,
  }
}
