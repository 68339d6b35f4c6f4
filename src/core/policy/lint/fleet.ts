/** Counts identities for the lint, without keeping them. */
import type { IdentityKind } from '../../identity/id.ts'
import type { Binding } from '../model.ts'
import type { Fleet } from './rule.ts'

/** What is asked of an identity. */
export interface Counted {
  readonly id: string
  readonly kind: IdentityKind
  readonly group: string | null
  readonly attributes: Readonly<Record<string, string>>
}

export class FleetCount implements Fleet {
  readonly attributeNames: Set<string> = new Set()
  readonly #ids = new Set<string>()
  readonly #byGroup = new Map<string, number>()
  readonly #byKind = new Map<string, number>()

  /** @param identity each once; one that can connect, or may again */
  add({ id, kind, group, attributes }: Counted): void {
    const one = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
    this.#ids.add(id)
    if (group !== null) one(this.#byGroup, group)
    one(this.#byKind, kind)
    for (const name of Object.keys(attributes)) this.attributeNames.add(name)
  }

  countOf(to: Binding['to']): number {
    const sum = (counts: ReadonlyMap<string, number>, keys: readonly string[]): number =>
      [...new Set(keys)].reduce((total, key) => total + (counts.get(key) ?? 0), 0)
    switch (to.kind) {
      case 'everyone':
        return this.#ids.size
      case 'identities':
        return new Set(to.ids.filter((id) => this.#ids.has(id))).size
      case 'groups':
        return sum(this.#byGroup, to.groups)
      case 'kinds':
        return sum(this.#byKind, to.kinds)
    }
  }
}
