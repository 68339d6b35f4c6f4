/** Lists of credentials by filters, newest first, in bounded time whatever the filters are. */
import type { Selectable } from 'kysely'
import type { Credential } from '../../core/identity/credential.ts'
import { limits } from '../../core/limits.ts'
import type { Page } from '../../hub/ports/page.ts'
import type { CredentialQuery } from '../../hub/ports/store.ts'
import type { Access, CredentialTable } from '../schema.ts'
import { inGroups } from './in-groups.ts'
import { boundedPage, readNumberCursor, rowsToRead, writeCursor } from './page.ts'

/** As many rows as may be looked at for one page, in the order of their numbers; of those, the filters keep what they want. */
export async function listCredentials(
  access: Access,
  query: CredentialQuery,
  read: (row: Selectable<CredentialTable>) => Credential,
): Promise<Page<Credential>> {
  const candidates = candidatesOf(access, query)
  let rows = access()
    .selectFrom(candidates.limit(limits.pageRowsReadMax).as('candidates'))
    .innerJoin('credentials', 'credentials.number', 'candidates.number')
    .selectAll('credentials')
    .orderBy('candidates.number', 'desc')
    .limit(rowsToRead(query))
  if (query.profile !== undefined) rows = rows.where('profile', '=', query.profile)
  if (query.state !== undefined) rows = rows.where('state', '=', query.state)
  if (query.endsFromSec !== undefined) rows = rows.where('not_after_sec', '>=', query.endsFromSec)
  if (query.endsBeforeSec !== undefined) rows = rows.where('not_after_sec', '<', query.endsBeforeSec)
  const { inGroups: groups } = query
  if (groups !== undefined) rows = rows.where(inGroups('credentials.identity_id', groups))
  return boundedPage(await rows.execute(), query, read, {
    cursor: ({ number }: { readonly number: number }) => writeCursor('certificates', String(number)),
    lastCandidate: () =>
      candidates
        .offset(limits.pageRowsReadMax - 1)
        .limit(1)
        .executeTakeFirst(),
  })
}

function candidatesOf(access: Access, query: CredentialQuery) {
  let rows = access().selectFrom('credentials').select('number').orderBy('number', 'desc')
  if (query.identityId !== undefined) rows = rows.where('identity_id', '=', query.identityId)
  if (query.after === null) return rows
  const [before = 0] = readNumberCursor('certificates', query.after, 1)
  return rows.where('number', '<', before)
}
