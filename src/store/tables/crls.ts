import type { Selectable } from 'kysely'
import type { CrlHead, CrlReader, CrlShardRow, Crls } from '../../hub/ports/crls.ts'
import type { Access, CrlShardTable, CrlTable } from '../schema.ts'

export function crlReader(access: Access): CrlReader {
  const heads = (authorityId: string) =>
    access()
      .selectFrom('crls')
      .select(['authority_id', 'shard', 'number', 'this_update_ms', 'next_update_ms', 'event_number'])
      .where('authority_id', '=', authorityId)
  const shards = (authorityId: string) =>
    access().selectFrom('crl_shards').selectAll().where('authority_id', '=', authorityId)
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
    async head(authorityId, shard) {
      const row = await heads(authorityId).where('shard', '=', shard).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async ofAuthority(authorityId) {
      return (await heads(authorityId).orderBy('shard').execute()).map(read)
    },
    async shard(authorityId, shard) {
      const row = await shards(authorityId).where('shard', '=', shard).executeTakeFirst()
      return row === undefined ? null : readShard(row)
    },
    async shards(authorityId, notAfterSec) {
      return (await shards(authorityId).where('not_after_sec', '>=', notAfterSec).orderBy('shard').execute()).map(
        readShard,
      )
    },
    async newestShard(authorityId, base) {
      let rows = shards(authorityId)
      if (base !== null) rows = rows.where('base', '=', base)
      const row = await rows.orderBy('shard', 'desc').limit(1).executeTakeFirst()
      return row === undefined ? null : readShard(row)
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
    async saveShard({ authorityId, shard, base, places, notAfterSec }) {
      const values = { base, places, not_after_sec: notAfterSec }
      await access()
        .insertInto('crl_shards')
        .values({ authority_id: authorityId, shard, ...values })
        .onConflict((conflict) => conflict.columns(['authority_id', 'shard']).doUpdateSet(values))
        .execute()
    },
  }
}

function readShard(row: Selectable<CrlShardTable>): CrlShardRow {
  return {
    authorityId: row.authority_id,
    shard: row.shard,
    base: row.base,
    places: row.places,
    notAfterSec: row.not_after_sec,
  }
}

function read(row: Omit<Selectable<CrlTable>, 'crl'>): CrlHead {
  return {
    authorityId: row.authority_id,
    shard: row.shard,
    number: BigInt(row.number),
    thisUpdateMs: row.this_update_ms,
    nextUpdateMs: row.next_update_ms,
    eventNumber: row.event_number,
  }
}
