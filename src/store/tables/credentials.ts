import { type Insertable, type Selectable, sql } from 'kysely'
import { assert } from '../../core/errors.ts'
import type { Credential, Fingerprint, SerialNumber } from '../../core/identity/credential.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Page, PageQuery } from '../../hub/ports/page.ts'
import type {
  CredentialReader,
  Credentials,
  RevokedCertificate,
  RevokedPlace,
  RevokedQuery,
  UnfitCredential,
} from '../../hub/ports/store.ts'
import { keptQuery, keptStatement } from '../kept-statement.ts'
import type { Access, CredentialTable } from '../schema.ts'
import { listCredentials } from './credential-list.ts'
import { assertBulk, assertPage, pageOf, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

export function credentialReader(access: Access): CredentialReader {
  const rows = () => access().selectFrom('credentials').selectAll()
  const oldestFirst = () => rows().orderBy('issued_at_ms').orderBy('number')
  return {
    async find(fingerprint) {
      const row = await byFingerprint.first(access(), fingerprint)
      return row === null ? null : read(row)
    },
    async findAll(fingerprints) {
      assertBulk(fingerprints)
      if (fingerprints.length === 0) return []
      return (await rows().where('fingerprint', 'in', fingerprints).execute()).map(read)
    },
    async findBySerial(serialNumber) {
      const row = await rows().where('serial_number', '=', serialNumber).executeTakeFirst()
      return row === undefined ? null : read(row)
    },
    list: (query) => listCredentials(access, query, read),
    async status(authorityId, serialNumber) {
      const row = await access()
        .selectFrom('credentials')
        .select(['state', 'issued_at_ms', 'revoked_at_ms', 'revocation_reason'])
        .where('serial_number', '=', serialNumber)
        .where('authority_id', '=', authorityId)
        .executeTakeFirst()
      if (row === undefined) return null
      const { state, issued_at_ms: issuedAtMs, revoked_at_ms: revokedAtMs, revocation_reason: revocationReason } = row
      return { state, issuedAtMs, revokedAtMs, revocationReason }
    },
    listOfIdentity: (id, query) => listOfIdentity(access, id, query),
    async ofIdentityIn(id, states) {
      if (states.length === 0) return []
      const found = await oldestFirst().where('identity_id', '=', id).where('state', 'in', states).execute()
      return found.map(read)
    },
    async unadoptedOf(ids) {
      assertBulk(ids)
      if (ids.length === 0) return []
      const found = await oldestFirst()
        .where('state', '=', sql.lit('unadopted'))
        .where('identity_id', 'in', ids)
        .execute()
      return found.map(read)
    },
    async ofToken(tokenId) {
      return (await oldestFirst().where('token_id', '=', tokenId).execute()).map(read)
    },
    async childrenOf(serialNumber) {
      return (await oldestFirst().where('parent_serial', '=', serialNumber).execute()).map(read)
    },
    async ofKey(id, publicKeyHash) {
      const found = await oldestFirst()
        .where('identity_id', '=', id)
        .where('public_key_hash', '=', publicKeyHash)
        .execute()
      return found.map(read)
    },
    lineageOf: (serialNumbers) => lineageOf(access, serialNumbers),
    async issuedBefore(states, issuedAtMs, limit) {
      assertPage(limit)
      if (states.length === 0) return []
      const found = await oldestFirst()
        .where('state', 'in', states)
        .where('issued_at_ms', '<', issuedAtMs)
        .limit(limit)
        .execute()
      return found.map(read)
    },
    async waitingSince(profile, issuedAtMs, limit) {
      assertPage(limit)
      const found = await rows()
        .where('profile', '=', profile)
        .where(sql<boolean>`state in ('pending', 'quarantined')`)
        .where('activated_at_ms', 'is', null)
        .where('parent_serial', 'is not', null)
        .where('issued_at_ms', '<', issuedAtMs)
        .orderBy('issued_at_ms')
        .orderBy('number')
        .limit(limit)
        .execute()
      return found.map(read)
    },
    async supersededBefore(supersededAtMs, limit) {
      assertPage(limit)
      const found = await rows()
        .where('state', '=', sql.lit('superseded'))
        .where('superseded_at_ms', '<', supersededAtMs)
        .orderBy('superseded_at_ms')
        .orderBy('number')
        .limit(limit)
        .execute()
      return found.map(read)
    },
    revoked: (query) => revoked(access, query),
    unfit: (fingerprints) => unfit(access, fingerprints),
  }
}

export function credentials(access: Access): Credentials {
  return {
    ...credentialReader(access),
    async insert(credential) {
      await inserting.run(access(), credential)
    },
    insertAll: (credentials) => insertAll(access, credentials),
    async update(credential) {
      const result = await access()
        .updateTable('credentials')
        .set(changing(credential))
        .where('fingerprint', '=', credential.fingerprint)
        .executeTakeFirst()
      assert(result.numUpdatedRows === 1n, 'a credential is updated that was never inserted')
    },
    async complete(credential) {
      return (await completing.run(access(), credential)) === 1n
    },
  }
}

/** Asked at every connection. */
const byFingerprint = keptQuery<string, Selectable<CredentialTable>>(
  (database, fingerprint) => database.selectFrom('credentials').selectAll().where('fingerprint', '=', fingerprint),
  (fingerprint) => [fingerprint],
)

const inserting = keptStatement<Credential>(
  (database, credential) => database.insertInto('credentials').values(rowOf(credential)),
  (credential) => Object.values(rowOf(credential)),
)

const completing = keptStatement<Credential>(
  (database, credential) =>
    database
      .updateTable('credentials')
      .set(completed(credential))
      .where('serial_number', '=', credential.serialNumber)
      .where('state', '=', 'intended'),
  (credential) => [...Object.values(completed(credential)), credential.serialNumber, 'intended'],
)

function completed(credential: Credential) {
  const { fingerprint, certificate, issuedAtMs } = credential
  return { fingerprint, certificate, issued_at_ms: issuedAtMs, ...changing(credential) }
}

/** 19 columns each, of the 32,766 values that SQLite binds. */
async function insertAll(access: Access, credentials: readonly Credential[]): Promise<void> {
  if (credentials.length === 0) return
  assertBulk(credentials)
  await access().insertInto('credentials').values(credentials.map(rowOf)).execute()
}

async function listOfIdentity(access: Access, id: IdentityId, query: PageQuery): Promise<Page<Credential>> {
  let rows = access()
    .selectFrom('credentials')
    .selectAll()
    .where('identity_id', '=', id)
    .orderBy('issued_at_ms', 'desc')
    .orderBy('number', 'desc')
    .limit(rowsToRead(query))
  if (query.after !== null) {
    const [issuedAtMs = 0, number = 0] = readNumberCursor('credentials', query.after, 2)
    rows = rows.where(sql<boolean>`(issued_at_ms, number) < (${issuedAtMs}, ${number})`)
  }
  return pageOf(await rows.execute(), query, read, (row) =>
    writeCursor('credentials', `${row.issued_at_ms}.${row.number}`),
  )
}

/** Walked by the database: a device that renews each hour has thousands of ancestors, and few of them live. */
async function lineageOf(access: Access, serialNumbers: readonly SerialNumber[]): Promise<readonly Fingerprint[]> {
  assertBulk(serialNumbers)
  if (serialNumbers.length === 0) return []
  const rows = await access()
    .withRecursive('lineage', (query) =>
      query
        .selectFrom('credentials')
        .select('serial_number')
        .where('serial_number', 'in', serialNumbers)
        .union((child) =>
          child
            .selectFrom('credentials')
            .innerJoin('lineage', 'lineage.serial_number', 'credentials.parent_serial')
            .select('credentials.serial_number'),
        ),
    )
    .selectFrom('lineage')
    .innerJoin('credentials', 'credentials.serial_number', 'lineage.serial_number')
    .select('fingerprint')
    .where('state', '!=', 'revoked')
    .orderBy('issued_at_ms')
    .orderBy('number')
    .execute()
  return rows.map(({ fingerprint }) => fingerprint)
}

/** The very list that the index of these rows is made for: SQLite compares the words. */
const onCrl = sql<boolean>`state in ('revoked', 'quarantined', 'unadopted')`

async function revoked(
  access: Access,
  { authorityId, shard, notAfterSec, after, limit }: RevokedQuery,
): Promise<{ readonly items: readonly RevokedCertificate[]; readonly next: RevokedPlace | null }> {
  assertPage(limit)
  let query = access()
    .selectFrom('credentials')
    .select(['number', 'serial_number', 'state', 'issued_at_ms', 'revoked_at_ms', 'revocation_reason', 'not_after_sec'])
    .where(onCrl)
    .where('authority_id', '=', authorityId)
    .where('crl_shard', shard === null ? 'is' : '=', shard)
    .where('not_after_sec', '>=', notAfterSec)
  if (after !== null)
    query = query.where(sql<boolean>`(not_after_sec, number) > (${after.notAfterSec}, ${after.number})`)
  const rows = await query.orderBy('not_after_sec').orderBy('number').limit(limit).execute()
  const last = rows.length === limit ? rows.at(-1) : undefined
  return {
    items: rows.map((row) =>
      row.state === 'revoked'
        ? {
            serialNumber: row.serial_number,
            revokedAtMs: row.revoked_at_ms ?? 0,
            reason: row.revocation_reason ?? 'unspecified',
          }
        : { serialNumber: row.serial_number, revokedAtMs: row.issued_at_ms, reason: 'certificateHold' },
    ),
    next: last === undefined ? null : { notAfterSec: last.not_after_sec, number: last.number },
  }
}

async function unfit(access: Access, fingerprints: readonly Fingerprint[]): Promise<readonly UnfitCredential[]> {
  assertBulk(fingerprints)
  if (fingerprints.length === 0) return []
  const rows = await access()
    .selectFrom('credentials')
    .innerJoin('identities', 'identities.id', 'credentials.identity_id')
    .select(['fingerprint', 'credentials.state', 'identities.state as identity_state'])
    .where('fingerprint', 'in', fingerprints)
    .where((row) =>
      row.or([
        row('credentials.state', 'in', ['revoked', 'intended', 'unadopted']),
        row('identities.state', '!=', 'active'),
      ]),
    )
    .execute()
  return rows.map((row) => ({
    fingerprint: row.fingerprint,
    state: row.state,
    identityState: row.identity_state,
  }))
}

function rowOf(credential: Credential): Insertable<CredentialTable> {
  return {
    fingerprint: credential.fingerprint,
    serial_number: credential.serialNumber,
    identity_id: credential.identityId,
    authority_id: credential.authorityId,
    profile: credential.profile,
    public_key_hash: credential.publicKeyHash,
    token_id: credential.tokenId,
    not_before_sec: credential.notBeforeSec,
    not_after_sec: credential.notAfterSec,
    issued_at_ms: credential.issuedAtMs,
    certificate: credential.certificate,
    key_origin: credential.keyOrigin,
    crl_shard: credential.crlShard,
    parent_serial: credential.parentSerial,
    ...changing(credential),
  }
}

function changing(
  credential: Credential,
): Pick<CredentialTable, 'state' | 'activated_at_ms' | 'superseded_at_ms' | 'revoked_at_ms' | 'revocation_reason'> {
  return {
    state: credential.state,
    activated_at_ms: credential.activatedAtMs,
    superseded_at_ms: credential.supersededAtMs,
    revoked_at_ms: credential.revokedAtMs,
    revocation_reason: credential.revocationReason,
  }
}

function read(row: Selectable<CredentialTable>): Credential {
  return {
    fingerprint: row.fingerprint,
    serialNumber: row.serial_number,
    identityId: row.identity_id,
    authorityId: row.authority_id,
    profile: row.profile,
    state: row.state,
    publicKeyHash: row.public_key_hash,
    certificate: row.certificate,
    keyOrigin: row.key_origin,
    crlShard: row.crl_shard,
    tokenId: row.token_id,
    parentSerial: row.parent_serial,
    notBeforeSec: row.not_before_sec,
    notAfterSec: row.not_after_sec,
    issuedAtMs: row.issued_at_ms,
    activatedAtMs: row.activated_at_ms,
    supersededAtMs: row.superseded_at_ms,
    revokedAtMs: row.revoked_at_ms,
    revocationReason: row.revocation_reason,
  }
}
