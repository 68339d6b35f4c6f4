import type { CrlReader, Crls } from '../../hub/ports/store.ts'
import type { Access } from '../schema.ts'

export function crlReader(access: Access): CrlReader {
  return {
    async latest(authorityId) {
      const row = await access()
        .selectFrom('crls')
        .selectAll()
        .where('authority_id', '=', authorityId)
        .executeTakeFirst()
      if (row === undefined) return null
      return {
        authorityId: row.authority_id,
        number: BigInt(row.number),
        thisUpdateMs: row.this_update_ms,
        nextUpdateMs: row.next_update_ms,
        crl: row.crl,
        eventNumber: row.event_number,
      }
    },
  }
}

export function crls(access: Access): Crls {
  return {
    ...crlReader(access),
    async save(row) {
      const values = {
        number: row.number.toString(),
        this_update_ms: row.thisUpdateMs,
        next_update_ms: row.nextUpdateMs,
        crl: row.crl,
        event_number: row.eventNumber,
      }
      await access()
        .insertInto('crls')
        .values({ authority_id: row.authorityId, ...values })
        .onConflict((conflict) => conflict.column('authority_id').doUpdateSet(values))
        .execute()
    },
  }
}
