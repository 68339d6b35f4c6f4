import { createHash } from 'node:crypto'
import { rowsAs } from '../rows.ts'
import type { IdentityRow, Problem, RegistryRule } from '../rule.ts'

interface AttributeRow {
  readonly name: string
  readonly value: string
  readonly identity_id: string
}

export const attributesSearchable: RegistryRule = {
  name: 'attributes-searchable',
  reason: 'devices are found by attribute through a table of its own: one that lags behind hides devices',
  canLook: () => true,
  async *look({ snapshot }): AsyncIterable<Problem> {
    // Two tables of different order are compared by sums, which need no memory and no order.
    const [held, found] = [new Sum(), new Sum()]
    for await (const { id, attributes } of rowsAs<IdentityRow>(snapshot, 'identities')) {
      for (const [name, value] of entriesOf(attributes)) held.add(name, value, id)
    }
    for await (const row of rowsAs<AttributeRow>(snapshot, 'identity_attributes'))
      found.add(row.name, row.value, row.identity_id)
    if (held.count === found.count && held.hash === found.hash) return
    const sentence = `holds ${found.count} attributes that are not the ${held.count} of the identities`
    yield { subject: 'the table of attributes', sentence }
  },
}

class Sum {
  count = 0
  hash = 0n

  add(...parts: readonly string[]): void {
    const digest = createHash('sha256').update(JSON.stringify(parts)).digest()
    this.count += 1
    this.hash = BigInt.asUintN(64, this.hash + digest.readBigUInt64BE())
  }
}

/** What cannot be read is told by identity-well-formed. */
function entriesOf(json: string): readonly (readonly [string, string])[] {
  try {
    return Object.entries(JSON.parse(json) as Record<string, string>)
  } catch {
    return []
  }
}
