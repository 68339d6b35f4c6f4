/** Trust anchors, the latest CRLs of each, and the addresses of those. */
import type { Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import { parseSources, sourcesText } from '../../core/identification/revocation-sources.ts'
import type { AnchorCrlPlace, AnchorFetchRow, AnchorReader, AnchorRow, Anchors } from '../../hub/ports/anchors.ts'
import type { Access, AnchorFetchTable, AnchorTable } from '../schema.ts'

export function anchorReader(access: Access): AnchorReader {
  return {
    async find(id) {
      const row = await access().selectFrom('anchors').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    async all() {
      return (await access().selectFrom('anchors').selectAll().orderBy('number').execute()).map(read)
    },
    async crl(place) {
      const row = await access()
        .selectFrom('anchor_crls')
        .selectAll()
        .where((where) => where.and(whereOf(place)))
        .executeTakeFirst()
      if (row === undefined) return null
      return {
        ...{ anchorId: row.anchor_id, issuer: row.issuer, part: row.part, thisUpdateMs: row.this_update_ms },
        ...{ nextUpdateMs: row.next_update_ms, givenAtMs: row.given_at_ms, crl: row.crl },
      }
    },
    async crlHeads(id) {
      const columns = ['anchor_id', 'issuer', 'part', 'this_update_ms', 'next_update_ms', 'given_at_ms'] as const
      const rows = await access()
        .selectFrom('anchor_crls')
        .select(columns)
        .$if(id !== null, (query) => query.where('anchor_id', '=', id ?? ''))
        .orderBy('anchor_id')
        .orderBy('issuer')
        .orderBy('part')
        .execute()
      return rows.map((row) => ({
        ...{ anchorId: row.anchor_id, issuer: row.issuer, part: row.part, thisUpdateMs: row.this_update_ms },
        ...{ nextUpdateMs: row.next_update_ms, givenAtMs: row.given_at_ms },
      }))
    },
    async fetches(id) {
      const rows = await access()
        .selectFrom('anchor_fetches')
        .selectAll()
        .$if(id !== null, (query) => query.where('anchor_id', '=', id ?? ''))
        .orderBy('anchor_id')
        .orderBy('is_learned')
        .orderBy('url')
        .execute()
      return rows.map(readFetch)
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
          ...{ created_at_ms: row.createdAtMs, changed_at_ms: row.changedAtMs, certificate: row.certificate },
          ...{ above: row.above, below: row.below, sources: sourcesText(row.sources) },
        })
        .execute()
    },
    async update({ id, state, revocation, sources, below, changedAtMs }) {
      const { numUpdatedRows } = await access()
        .updateTable('anchors')
        .set({ state, revocation, sources: sourcesText(sources), below, changed_at_ms: changedAtMs })
        .where('id', '=', id)
        .executeTakeFirst()
      assert(numUpdatedRows === 1n, 'a trust anchor is updated that was never inserted')
    },
    async remove(id) {
      await access().deleteFrom('anchor_crls').where('anchor_id', '=', id).execute()
      await access().deleteFrom('anchor_fetches').where('anchor_id', '=', id).execute()
      await access().deleteFrom('anchors').where('id', '=', id).execute()
    },
    removeCrl: (place) => removeCrl(access, place),
    async saveCrl(row) {
      await removeCrl(access, row)
      await access()
        .insertInto('anchor_crls')
        .values({
          ...{ anchor_id: row.anchorId, issuer: row.issuer, part: row.part, this_update_ms: row.thisUpdateMs },
          ...{ next_update_ms: row.nextUpdateMs, given_at_ms: row.givenAtMs, crl: row.crl },
        })
        .execute()
    },
    async saveFetch(row) {
      await removeFetch(access, row)
      await access()
        .insertInto('anchor_fetches')
        .values({
          ...{ anchor_id: row.anchorId, url: row.url, is_learned: row.isLearned ? 1 : 0, due_at_ms: row.dueAtMs },
          ...{ tried_at_ms: row.triedAtMs, failures: row.failures, failure: row.failure },
        })
        .execute()
    },
    removeFetch: (row) => removeFetch(access, row),
  }
}

function whereOf({ anchorId, issuer, part }: AnchorCrlPlace) {
  return { anchor_id: anchorId, issuer, part }
}

async function removeCrl(access: Access, place: AnchorCrlPlace): Promise<void> {
  await access()
    .deleteFrom('anchor_crls')
    .where((where) => where.and(whereOf(place)))
    .execute()
}

async function removeFetch(access: Access, { anchorId, url }: Pick<AnchorFetchRow, 'anchorId' | 'url'>): Promise<void> {
  await access().deleteFrom('anchor_fetches').where('anchor_id', '=', anchorId).where('url', '=', url).execute()
}

function read(row: Selectable<AnchorTable>): AnchorRow {
  return {
    ...{ id: row.id, fingerprint: row.fingerprint, state: row.state, code: row.code, revocation: row.revocation },
    ...{ createdAtMs: row.created_at_ms, changedAtMs: row.changed_at_ms, certificate: row.certificate },
    ...{ above: row.above, below: row.below, sources: parseSources(row.sources) },
  }
}

function readFetch(row: Selectable<AnchorFetchTable>): AnchorFetchRow {
  return {
    ...{ anchorId: row.anchor_id, url: row.url, isLearned: row.is_learned === 1, dueAtMs: row.due_at_ms },
    ...{ triedAtMs: row.tried_at_ms, failures: row.failures, failure: row.failure },
  }
}
