import type { Selectable } from 'kysely'
import { assert } from '../../core/errors.ts'
import type { Authorities, AuthorityReader, AuthorityRow, CrossCertificate } from '../../hub/ports/authorities.ts'
import type { Access, AuthorityTable, CrossCertificateTable } from '../schema.ts'

export function authorityReader(access: Access): AuthorityReader {
  return {
    async all() {
      const rows = await access().selectFrom('authorities').selectAll().orderBy('number').execute()
      return rows.map(readAuthority)
    },
    async crossCertificates() {
      const rows = await access().selectFrom('cross_certificates').selectAll().orderBy('number').execute()
      return rows.map(readCross)
    },
  }
}

export function authorities(access: Access): Authorities {
  return {
    ...authorityReader(access),
    async insert(authority) {
      const { id, role, chain, keyType, createdAtMs } = authority
      await access()
        .insertInto('authorities')
        .values({ id, role, chain, key_type: keyType, created_at_ms: createdAtMs, ...changing(authority) })
        .execute()
    },
    async update(authority) {
      const result = await access()
        .updateTable('authorities')
        .set(changing(authority))
        .where('id', '=', authority.id)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'an authority is updated that was never inserted')
    },
    async insertCross({ fingerprint, subjectId, issuerId, certificate, createdAtMs }) {
      await access()
        .insertInto('cross_certificates')
        .values({
          fingerprint,
          subject_id: subjectId,
          issuer_id: issuerId,
          certificate,
          created_at_ms: createdAtMs,
        })
        .execute()
    },
  }
}

function changing({ certificate, parentId, state, keyPlace }: AuthorityRow) {
  return { certificate, parent_id: parentId, state, key_place: keyPlace }
}

function readAuthority(row: Selectable<AuthorityTable>): AuthorityRow {
  return {
    id: row.id,
    role: row.role,
    chain: row.chain,
    keyType: row.key_type,
    parentId: row.parent_id,
    state: row.state,
    keyPlace: row.key_place,
    certificate: row.certificate,
    createdAtMs: row.created_at_ms,
  }
}

function readCross(row: Selectable<CrossCertificateTable>): CrossCertificate {
  return {
    fingerprint: row.fingerprint,
    subjectId: row.subject_id,
    issuerId: row.issuer_id,
    certificate: row.certificate,
    createdAtMs: row.created_at_ms,
  }
}
