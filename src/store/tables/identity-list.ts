/** Lists of identities by filters, in bounded time whatever the filters are. */
import type { Selectable, SelectQueryBuilder } from 'kysely'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Identity } from '../../core/identity/identity.ts'
import { limits } from '../../core/limits.ts'
import type { Page } from '../../hub/ports/page.ts'
import type { IdentityQuery } from '../../hub/ports/store.ts'
import type { Access, IdentityTable, Schema } from '../schema.ts'
import { inGroups } from './in-groups.ts'
import { boundedPage, readIdCursor, rowsToRead, writeCursor } from './page.ts'

/**
 * One filter chooses the candidates through an index that is in the order of ids; of those, as many as may be looked at for
 * one page, the other filters keep what they want.
 */
export async function listIdentities(
  access: Access,
  query: IdentityQuery,
  read: (row: Selectable<IdentityTable>) => Identity,
): Promise<Page<Identity>> {
  const candidates = candidatesOf(access, query)
  const { inGroups: groups } = query
  let rows = access()
    .selectFrom(candidates.limit(limits.pageRowsReadMax).as('candidates'))
    .innerJoin('identities', 'identities.id', 'candidates.id')
    .selectAll('identities')
    .orderBy('candidates.id')
    .limit(rowsToRead(query))
  // The filter that has chosen the candidates holds already; asking again costs nothing.
  if (query.kind !== undefined) rows = rows.where('kind', '=', query.kind)
  if (query.state !== undefined) rows = rows.where('state', '=', query.state)
  if (query.group !== undefined) rows = rows.where('group_name', '=', query.group)
  for (const [name, value] of Object.entries(query.attributes ?? {}).slice(groups === undefined ? 1 : 0)) {
    rows = rows.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('identity_attributes')
          .select('name')
          .whereRef('identity_id', '=', 'identities.id')
          .where('name', '=', name)
          .where('value', '=', value),
      ),
    )
  }
  if (groups !== undefined) rows = rows.where(inGroups('identities.id', groups))
  return boundedPage(await rows.execute(), query, read, {
    cursor: ({ id }) => writeCursor('identities', id),
    lastCandidate: () =>
      candidates
        .offset(limits.pageRowsReadMax - 1)
        .limit(1)
        .executeTakeFirst(),
  })
}

type Candidates = SelectQueryBuilder<Schema, never, { readonly id: IdentityId }>

/** Ids in order, by the filter that is likely to leave the fewest. */
function candidatesOf(access: Access, query: IdentityQuery): Candidates {
  const [attribute] = Object.entries(query.attributes ?? {})
  const after = query.after === null ? null : readIdCursor('identities', query.after)
  // Where only some groups are seen, no other row may be a candidate: the last of them may stand in the cursor.
  if (query.inGroups !== undefined) return amongGroups(access, query, query.inGroups, after)
  if (attribute === undefined) return amongIdentities(access, query, after) as unknown as Candidates
  const [name, value] = attribute
  let rows = access()
    .selectFrom('identity_attributes')
    .select('identity_id as id')
    .where('name', '=', name)
    .where('value', '=', value)
    .orderBy('identity_id')
  if (after !== null) rows = rows.where('identity_id', '>', after)
  for (const [operator, id] of withPrefix(query.idPrefix)) rows = rows.where('identity_id', operator, id)
  return rows as unknown as Candidates
}

/** Each group is read in order through its index, and as far as one page may look. */
function amongGroups(
  access: Access,
  query: IdentityQuery,
  groups: readonly string[],
  after: IdentityId | null,
): Candidates {
  const wanted = query.group === undefined ? groups : groups.filter((group) => group === query.group)
  const [first, ...more] = wanted.map((group) => amongGroup(access, { ...query, group }, after))
  if (first === undefined) return amongIdentities(access, query, after).where('id', 'is', null) as unknown as Candidates
  const together = more.reduce((all, arm) => all.unionAll(arm), first)
  return access().selectFrom(together.as('together')).select('id').orderBy('id') as unknown as Candidates
}

function amongGroup(access: Access, query: IdentityQuery, after: IdentityId | null) {
  const some = amongIdentities(access, query, after).limit(limits.pageRowsReadMax)
  return access().selectFrom(some.as('arm')).select('id')
}

function amongIdentities(access: Access, query: IdentityQuery, after: IdentityId | null) {
  let rows = access().selectFrom('identities').select('id').orderBy('id')
  if (query.group !== undefined) rows = rows.where('group_name', '=', query.group)
  else if (query.state !== undefined) rows = rows.where('state', '=', query.state)
  if (after !== null) rows = rows.where('id', '>', after)
  for (const [operator, id] of withPrefix(query.idPrefix)) rows = rows.where('id', operator, id)
  return rows
}

/** Ids that begin so, as a range: none has a character behind "z". */
function withPrefix(prefix: string | undefined): readonly (readonly ['>=' | '<', IdentityId])[] {
  if (prefix === undefined) return []
  return [
    ['>=', prefix as IdentityId],
    ['<', `${prefix}{` as IdentityId],
  ]
}
