/** Pinned certificates, two slots for each identity. */
import type { Selectable } from 'kysely'
import type { PinReader, PinRow, Pins } from '../../hub/ports/pins.ts'
import type { Access, PinTable } from '../schema.ts'

export function pinReader(access: Access): PinReader {
  return {
    async find(fingerprint) {
      const row = await access()
        .selectFrom('pins')
        .selectAll()
        .where('fingerprint', '=', fingerprint)
        .executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async statusOf(fingerprints) {
      if (fingerprints.length === 0) return []
      const rows = await access()
        .selectFrom('pins')
        .innerJoin('identities', 'identities.id', 'pins.identity_id')
        .select(['fingerprint', 'identities.state as identity_state'])
        .where('fingerprint', 'in', fingerprints)
        .execute()
      return rows.map((row) => ({ fingerprint: row.fingerprint, identityState: row.identity_state }))
    },
    async ofIdentity(id) {
      const query = access().selectFrom('pins').selectAll().where('identity_id', '=', id).orderBy('slot')
      return (await query.execute()).map(read)
    },
  }
}

export function pins(access: Access): Pins {
  return {
    ...pinReader(access),
    async insert(row) {
      await access()
        .insertInto('pins')
        .values({
          identity_id: row.identityId,
          slot: row.slot,
          fingerprint: row.fingerprint,
          dates_count: row.datesCount ? 1 : 0,
          created_at_ms: row.createdAtMs,
          used_at_ms: row.usedAtMs,
          certificate: row.certificate,
        })
        .execute()
    },
    async noteUse(fingerprint, usedAtMs) {
      await access().updateTable('pins').set({ used_at_ms: usedAtMs }).where('fingerprint', '=', fingerprint).execute()
    },
    async remove(fingerprint) {
      await access().deleteFrom('pins').where('fingerprint', '=', fingerprint).execute()
    },
  }
}

function read(row: Selectable<PinTable>): PinRow {
  return {
    identityId: row.identity_id,
    slot: row.slot,
    fingerprint: row.fingerprint,
    datesCount: row.dates_count === 1,
    createdAtMs: row.created_at_ms,
    usedAtMs: row.used_at_ms,
    certificate: new Uint8Array(row.certificate),
  }
}
