/** Rows of lists that are narrowed to some groups: what an owner may see. */
import { type RawBuilder, sql } from 'kysely'
import { assert } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'

/**
 * Whether a column names a device or a service of one of the groups. People are of no group, whatever was written there.
 *
 * @param column as in `credentials.identity_id`
 * @param groups at most `limits.groupsReachedMax`; none is nothing
 */
export function inGroups(column: string, groups: readonly string[]): RawBuilder<boolean> {
  assert(groups.length <= limits.groupsReachedMax, `${groups.length} groups are too many for one statement`)
  if (groups.length === 0) return sql<boolean>`1 = 0`
  return sql<boolean>`exists (select 1 from identities reached where reached.id = ${sql.ref(column)}
    and reached.group_name in (${sql.join(groups)}) and reached.kind <> 'user')`
}
