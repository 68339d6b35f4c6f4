/** Trust anchors, and the latest CRL of each. */
import type { Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import type { AnchorCrlRow, AnchorReader, AnchorRow, Anchors } from '../../hub/ports/anchors.ts'
import type { Access, AnchorCrlTable, AnchorTable } from '../schema.ts'

export function anchorReader(access: Access): AnchorReader {
  return {
    async find(id) {
      const row = await access().selectFrom('anchors').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async all() {
      return (await access().selectFrom('anchors').selectAll().orderBy('number').execute()).map(read)
    },
    async crl(id) {
      const row = await access().selectFrom('anchor_crls').selectAll().where('anchor_id', '=', id).executeTakeFirst()
      return row === undefined ? null : readCrl(row)
    },
  }
}

export function anchors(access: Access): Anchors {
  return {
    ...anchorReader(access),
    async insert(row) {
      await access()
        .insertInto('anchors')
        .values({
          ...{ id: row.id, fingerprint: row.fingerprint, state: row.state, code: row.code, revocation: row.revocation },
          created_at_ms: row.createdAtMs,
          changed_at_ms: row.changedAtMs,
          certificate: row.certificate,
          above: row.above,
        })
        .execute()
    },
    async update({ id, state, revocation, changedAtMs }) {
      const { numUpdatedRows } = await access()
        .updateTable('anchors')
        .set({ state, revocation, changed_at_ms: changedAtMs })
        .where('id', '=', id)
        .executeTakeFirst()
      assert(numUpdatedRows === 1n, 'a trust anchor is updated that was never inserted')
    },
    async remove(id) {
      await access().deleteFrom('anchor_crls').where('anchor_id', '=', id).execute()
      await access().deleteFrom('anchors').where('id', '=', id).execute()
    },
    async removeCrl(id) {
      await access().deleteFrom('anchor_crls').where('anchor_id', '=', id).execute()
    },
    async saveCrl({ anchorId, thisUpdateMs, nextUpdateMs, givenAtMs, crl }) {
      await access().deleteFrom('anchor_crls').where('anchor_id', '=', anchorId).execute()
      await access()
        .insertInto('anchor_crls')
        .values({
          ...{ anchor_id: anchorId, this_update_ms: thisUpdateMs, next_update_ms: nextUpdateMs },
          ...{ given_at_ms: givenAtMs, crl },
        })
        .execute()
    },
  }
}

function read(row: Selectable<AnchorTable>): AnchorRow {
  return {
    ...{ id: row.id, fingerprint: row.fingerprint, state: row.state, code: row.code, revocation: row.revocation },
    createdAtMs: row.created_at_ms,
    changedAtMs: row.changed_at_ms,
    certificate: row.certificate,
    above: row.above,
  }
}

function readCrl(row: Selectable<AnchorCrlTable>): AnchorCrlRow {
  return {
    ...{ anchorId: row.anchor_id, thisUpdateMs: row.this_update_ms, nextUpdateMs: row.next_update_ms },
    ...{ givenAtMs: row.given_at_ms, crl: row.crl },
  }
}
