/** Attributes as rows, so that devices are found by them; what an identity has stands in its own row too. */

import type { IdentityId } from '../../core/identity/id.ts'
import type { Identity } from '../../core/identity/identity.ts'
import { limits } from '../../core/limits.ts'
import type { Access } from '../schema.ts'

export async function insertAttributes(access: Access, identities: readonly Identity[]): Promise<void> {
  const rows = identities.flatMap(({ id, attributes }) =>
    Object.entries(attributes).map(([name, value]) => ({ name, value, identity_id: id })),
  )
  for (let start = 0; start < rows.length; start += limits.bulkRowsMax) {
    await access()
      .insertInto('identity_attributes')
      .values(rows.slice(start, start + limits.bulkRowsMax))
      .execute()
  }
}

export async function removeAttributes(
  access: Access,
  id: IdentityId,
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(attributes)) {
    await access()
      .deleteFrom('identity_attributes')
      .where('name', '=', name)
      .where('value', '=', value)
      .where('identity_id', '=', id)
      .execute()
  }
}
