/** Lists of identities by filters, in bounded time whatever the filters are. */
import type { Selectable, SelectQueryBuilder } from 'kysely'
import type { IdentityId } from '../../core/identity/id.ts'
import type { Identity } from '../../core/identity/identity.ts'
import { limits } from '../../core/limits.ts'
import type { Page } from '../../hub/ports/page.ts'
import type { IdentityQuery } from '../../hub/ports/store.ts'
import type { Access, IdentityTable, Schema } from '../schema.ts'
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
  for (const [name, value] of Object.entries(query.attributes ?? {}).slice(1)) {
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
  if (attribute === undefined) return amongIdentities(access, query, after)
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

function amongIdentities(access: Access, query: IdentityQuery, after: IdentityId | null): Candidates {
  let rows = access().selectFrom('identities').select('id').orderBy('id')
  if (query.group !== undefined) rows = rows.where('group_name', '=', query.group)
  else if (query.state !== undefined) rows = rows.where('state', '=', query.state)
  if (after !== null) rows = rows.where('id', '>', after)
  for (const [operator, id] of withPrefix(query.idPrefix)) rows = rows.where('id', operator, id)
  return rows as unknown as Candidates
}

/** Ids that begin so, as a range: none has a character behind "z". */
function withPrefix(prefix: string | undefined): readonly (readonly ['>=' | '<', IdentityId])[] {
  if (prefix === undefined) return []
  return [
    ['>=', prefix as IdentityId],
    ['<', `${prefix}{` as IdentityId],
  ]
}
