import { type ExpressionBuilder, type Insertable, type Selectable, sql } from 'kysely'
import { assert } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type {
  AttemptCase,
  CaseQuery,
  CaseReader,
  Cases,
  NewRefusals,
  SharedTrouble,
  SharedTroubleQuery,
  ShownParty,
  Trouble,
} from '../../hub/ports/cases.ts'
import type { Page } from '../../hub/ports/page.ts'
import type { Access, AttemptCaseTable, Schema } from '../schema.ts'
import { inGroups } from './in-groups.ts'
import { assertBulk, assertPage, boundedPage, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

/** Rows in one INSERT: 18 columns each, far below the 32,766 values that SQLite binds and the 65,535 of PostgreSQL. */
const rowsInInsert = 100

export function caseReader(access: Access): CaseReader {
  return {
    list: (query) => list(access, query),
    shared: (query) => shared(access, query),
    partiesOf: (trouble, lastFromMs, limit) => partiesOf(access, trouble, lastFromMs, limit),
  }
}

export function cases(access: Access): Cases {
  return {
    ...caseReader(access),
    async addAll(refusals) {
      assertBulk(refusals)
      for (let start = 0; start < refusals.length; start += rowsInInsert) {
        const rows = refusals.slice(start, start + rowsInInsert).map(rowOf)
        await access()
          .insertInto('attempt_cases')
          .values(rows)
          .onConflict((conflict) => conflict.columns(['party_kind', 'party', 'listener', 'code']).doUpdateSet(joined))
          .execute()
      }
    },
    async admitted(listener, parties, atMs) {
      assertBulk(parties)
      for (const kind of ['identity', 'certificate'] as const) {
        const names = parties.filter((party) => party.kind === kind).map(({ name }) => name)
        if (names.length === 0) continue
        await access()
          .updateTable('attempt_cases')
          .set({ admitted_at_ms: atMs })
          .where('party_kind', '=', kind)
          .where('party', 'in', names)
          .where('listener', '=', listener)
          .where('admitted_at_ms', 'is', null)
          .where('last_at_ms', '<=', atMs)
          .execute()
      }
    },
    async keepNewest(identities, others) {
      await keepNewest(access, true, identities)
      await keepNewest(access, false, others)
    },
  }
}

/** A row that is there already takes up what is new; one that was quiet for long begins anew. */
function joined(row: ExpressionBuilder<Schema & { excluded: AttemptCaseTable }, 'attempt_cases' | 'excluded'>) {
  // One that lies as far ahead was written by a clock that was set right since.
  const known = sql<boolean>`(attempt_cases.last_at_ms + ${limits.caseQuietMs} >= excluded.first_at_ms
    and attempt_cases.last_at_ms - ${limits.caseQuietMs} <= excluded.last_at_ms)`
  const newest = ['issuer', 'stage', 'address', 'sentence', 'identity_id'] as const
  const ofNewest = [...newest, 'client_id', 'tls_version', 'mqtt_version', 'certificate'] as const
  return {
    ...Object.fromEntries(ofNewest.map((column) => [column, row.ref(`excluded.${column}`)])),
    attempts_count: sql<number>`excluded.attempts_count + case when ${known} then attempt_cases.attempts_count else 0 end`,
    first_at_ms: sql<number>`case when ${known} and attempt_cases.first_at_ms < excluded.first_at_ms
      then attempt_cases.first_at_ms else excluded.first_at_ms end`,
    last_at_ms: sql<number>`case when ${known} and attempt_cases.last_at_ms > excluded.last_at_ms
      then attempt_cases.last_at_ms else excluded.last_at_ms end`,
    // What a gate tells late may be older than the admission that the hub knows of.
    admitted_at_ms: sql<number>`case when attempt_cases.admitted_at_ms > excluded.last_at_ms
      then attempt_cases.admitted_at_ms else null end`,
  }
}

async function keepNewest(access: Access, ofIdentities: boolean, count: number): Promise<void> {
  assert(Number.isInteger(count) && count >= 0, 'keepNewest wants a whole number')
  const kind = ofIdentities ? '=' : '<>'
  const newestToGo = await access()
    .selectFrom('attempt_cases')
    .select(['last_at_ms', 'number'])
    .where('party_kind', kind, 'identity')
    .orderBy('last_at_ms', 'desc')
    .orderBy('number', 'desc')
    .limit(1)
    .offset(count)
    .executeTakeFirst()
  if (newestToGo === undefined) return
  const { last_at_ms: lastAtMs, number } = newestToGo
  await access()
    .deleteFrom('attempt_cases')
    .where('party_kind', kind, 'identity')
    .where(sql<boolean>`(last_at_ms, number) <= (${lastAtMs}, ${number})`)
    .execute()
}

async function list(access: Access, query: CaseQuery): Promise<Page<AttemptCase>> {
  const candidates = candidatesOf(access, query)
  let rows = access()
    .selectFrom(candidates.limit(limits.pageRowsReadMax).as('candidates'))
    .selectAll()
    .orderBy('last_at_ms', 'desc')
    .orderBy('number', 'desc')
    .limit(rowsToRead(query))
  if (query.code !== undefined) rows = rows.where('code', '=', query.code)
  if (query.listener !== undefined) rows = rows.where('listener', '=', query.listener)
  if (query.standing === true) rows = rows.where('admitted_at_ms', 'is', null)
  const { inGroups: groups } = query
  if (groups !== undefined) rows = rows.where(inGroups('candidates.identity_id', groups))
  return boundedPage(await rows.execute(), query, read, {
    cursor: ({ last_at_ms, number }: { readonly last_at_ms: number; readonly number: number }) =>
      writeCursor('cases', `${last_at_ms}.${number}`),
    lastCandidate: () =>
      candidates
        .offset(limits.pageRowsReadMax - 1)
        .limit(1)
        .executeTakeFirst(),
  })
}

/** Cases of an identity, which are few, or of a time, by when they were refused last. */
function candidatesOf(access: Access, query: CaseQuery) {
  let rows = access().selectFrom('attempt_cases').selectAll().orderBy('last_at_ms', 'desc').orderBy('number', 'desc')
  if (query.identityId !== undefined) {
    rows = rows.where('party_kind', '=', 'identity').where('party', '=', query.identityId)
  }
  if (query.lastFromMs !== undefined) rows = rows.where('last_at_ms', '>=', query.lastFromMs)
  if (query.after === null) return rows
  const [lastAtMs = 0, number = 0] = readNumberCursor('cases', query.after, 2)
  return rows.where(sql<boolean>`(last_at_ms, number) < (${lastAtMs}, ${number})`)
}

/** One look at the cases of a while, through the index of their times. */
async function shared(access: Access, query: SharedTroubleQuery): Promise<readonly SharedTrouble[]> {
  assertPage(query.limit)
  const parties = sql<number>`count(*)`
  let rows = access()
    .selectFrom('attempt_cases')
    .select(['listener', 'code', 'issuer'])
    .select([
      countOf(sql`party_kind = 'identity'`).as('identities'),
      countOf(sql`party_kind = 'certificate'`).as('certificates'),
      countOf(sql`party_kind = 'network'`).as('networks'),
      countOf(sql`first_at_ms >= ${query.firstFromMs}`).as('newcomers'),
    ])
    .select((row) => row.fn.max('last_at_ms').as('last_at_ms'))
    .where('last_at_ms', '>=', query.lastFromMs)
    .where('admitted_at_ms', 'is', null)
    .groupBy(['listener', 'code', 'issuer'])
    .having(parties, '>=', query.partiesMin)
    // Whoever makes many certificates and names makes troubles of many strangers: they push out none of identities.
    .orderBy(countOf(sql`party_kind = 'identity'`), 'desc')
    .orderBy(parties, 'desc')
    .orderBy('listener')
    .orderBy('code')
    .orderBy('issuer')
    .limit(query.limit)
  if (query.codesLeftOut.length > 0) rows = rows.where('code', 'not in', query.codesLeftOut)
  return (await rows.execute()).map(({ listener, code, issuer, identities, certificates, networks, ...rest }) => ({
    ...{ listener, code, issuer: issuer === '' ? null : issuer },
    parties: { identities, certificates, networks },
    newcomers: rest.newcomers,
    lastAtMs: rest.last_at_ms,
  }))
}

function countOf(which: ReturnType<typeof sql>) {
  return sql<number>`sum(case when ${which} then 1 else 0 end)`
}

async function partiesOf(
  access: Access,
  { listener, code, issuer }: Trouble,
  lastFromMs: number,
  limit: number,
): Promise<readonly ShownParty[]> {
  assertPage(limit)
  const rows = await access()
    .selectFrom('attempt_cases')
    .select(['party_kind', 'party', 'certificate'])
    .where('last_at_ms', '>=', lastFromMs)
    .where('listener', '=', listener)
    .where('code', '=', code)
    .where('issuer', '=', issuer ?? '')
    .where('admitted_at_ms', 'is', null)
    .orderBy('last_at_ms', 'desc')
    .orderBy('number', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ party_kind: kind, party: name, certificate }) => ({
    ...{ kind, name },
    subject: certificate === null ? null : JSON.parse(certificate).subject,
  }))
}

function rowOf({ party, issuer, code, count, firstAtMs, last }: NewRefusals): Insertable<AttemptCaseTable> {
  return {
    party_kind: party.kind,
    party: party.name,
    listener: last.listener,
    code,
    issuer: issuer ?? '',
    attempts_count: count,
    first_at_ms: firstAtMs,
    last_at_ms: last.atMs,
    admitted_at_ms: null,
    stage: last.stage,
    address: last.address,
    sentence: last.sentence,
    identity_id: last.identityId,
    client_id: last.clientId,
    tls_version: last.tlsVersion,
    mqtt_version: last.mqttVersion,
    certificate: last.certificate === null ? null : JSON.stringify(last.certificate),
  }
}

function read(row: Selectable<AttemptCaseTable>): AttemptCase {
  const { code, listener } = row
  return {
    number: row.number,
    party: { kind: row.party_kind, name: row.party },
    issuer: row.issuer === '' ? null : row.issuer,
    code,
    count: row.attempts_count,
    firstAtMs: row.first_at_ms,
    admittedAtMs: row.admitted_at_ms,
    last: {
      ...{ atMs: row.last_at_ms, listener, code, outcome: 'refused' },
      stage: row.stage,
      address: row.address,
      sentence: row.sentence,
      identityId: row.identity_id,
      clientId: row.client_id,
      tlsVersion: row.tls_version,
      mqttVersion: row.mqtt_version,
      certificate: row.certificate === null ? null : JSON.parse(row.certificate),
    },
  }
}
