/** Counts identities for the lint, without keeping them. */
import type { IdentityKind } from '../../identity/id.ts'
import type { Fleet } from './rule.ts'

/** What is asked of an identity. */
export interface Counted {
  readonly id: string
  readonly kind: IdentityKind
  readonly group: string | null
  readonly attributes: Readonly<Record<string, string>>
}

/** @param identities each once; those that can connect, or may again */
export function fleetOf(identities: Iterable<Counted>): Fleet {
  const ids = new Set<string>()
  const attributeNames = new Set<string>()
  const [byGroup, byKind] = [new Map<string, number>(), new Map<string, number>()]
  const one = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const { id, kind, group, attributes } of identities) {
    ids.add(id)
    if (group !== null) one(byGroup, group)
    one(byKind, kind)
    for (const name of Object.keys(attributes)) attributeNames.add(name)
  }
  const sum = (counts: ReadonlyMap<string, number>, keys: readonly string[]): number =>
    [...new Set(keys)].reduce((total, key) => total + (counts.get(key) ?? 0), 0)
  return {
    attributeNames,
    countOf(to) {
      switch (to.kind) {
        case 'everyone':
          return ids.size
        case 'identities':
          return new Set(to.ids.filter((id) => ids.has(id))).size
        case 'groups':
          return sum(byGroup, to.groups)
        case 'kinds':
          return sum(byKind, to.kinds)
      }
    },
  }
}
