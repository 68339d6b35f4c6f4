import type { Selectable } from 'kysely'
import type { CrlReader, CrlRow, Crls } from '../../hub/ports/crls.ts'
import type { Access, CrlTable } from '../schema.ts'

export function crlReader(access: Access): CrlReader {
  return {
    async latest(authorityId, shard) {
      const row = await access()
        .selectFrom('crls')
        .selectAll()
        .where('authority_id', '=', authorityId)
        .where('shard', '=', shard)
        .executeTakeFirst()
      return row === undefined ? null : { ...read(row), crl: row.crl }
    },
    async ofAuthority(authorityId) {
      const rows = await access()
        .selectFrom('crls')
        .select(['authority_id', 'shard', 'number', 'this_update_ms', 'next_update_ms', 'event_number'])
        .where('authority_id', '=', authorityId)
        .orderBy('shard')
        .execute()
      return rows.map(read)
    },
    async shards(authorityId) {
      const rows = await access()
        .selectFrom('crl_shards')
        .selectAll()
        .where('authority_id', '=', authorityId)
        .orderBy('shard')
        .execute()
      return rows.map((row) => ({
        authorityId: row.authority_id,
        shard: row.shard,
        places: row.places,
        notAfterSec: row.not_after_sec,
      }))
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
        .values({ authority_id: row.authorityId, shard: row.shard, ...values })
        .onConflict((conflict) => conflict.columns(['authority_id', 'shard']).doUpdateSet(values))
        .execute()
    },
    async saveShard({ authorityId, shard, places, notAfterSec }) {
      const values = { places, not_after_sec: notAfterSec }
      await access()
        .insertInto('crl_shards')
        .values({ authority_id: authorityId, shard, ...values })
        .onConflict((conflict) => conflict.columns(['authority_id', 'shard']).doUpdateSet(values))
        .execute()
    },
  }
}

function read(row: Omit<Selectable<CrlTable>, 'crl'>): Omit<CrlRow, 'crl'> {
  return {
    authorityId: row.authority_id,
    shard: row.shard,
    number: BigInt(row.number),
    thisUpdateMs: row.this_update_ms,
    nextUpdateMs: row.next_update_ms,
    eventNumber: row.event_number,
  }
}
