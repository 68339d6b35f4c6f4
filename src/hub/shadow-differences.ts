/**
 * What the policy in the shadow would decide otherwise, kept for whoever tries it: each difference of an identity once, the
 * first of each version. It is kept in memory, since what was heard before a start may not be true of the policy after it.
 */
import { limits } from '../core/limits.ts'
import type { Action } from '../core/policy/rights.ts'

export interface ShadowDifference {
  /** The version in the shadow. */
  readonly version: number
  /** The version that decided; null for the default. */
  readonly active: number | null
  readonly identity: string
  readonly action: Action
  /** Empty where the action is `connect`; a filter where it is `subscribe`. */
  readonly topic: string
  /** What was decided; the shadow says the contrary. */
  readonly allowed: boolean
  /** The statement that decided, and the one that would have. */
  readonly because: string
  readonly shadowBecause: string
  /** When it was first heard. */
  readonly atMs: number
}

/** Whoever hears of differences, each of an identity once. */
export interface ShadowListener {
  /** Left out where nobody keeps them. */
  shadowFound?(difference: ShadowDifference): void
}

export interface KeptDifferences {
  /** In the order in which they were heard. */
  readonly items: readonly ShadowDifference[]
  /** More that were heard and are not kept. */
  readonly more: number
}

export class ShadowDifferences implements ShadowListener {
  /** By version, the one that was heard of longest ago first. */
  readonly #byVersion = new Map<number, { readonly items: Map<string, ShadowDifference>; more: number }>()

  shadowFound(difference: ShadowDifference): void {
    const { version, identity, action, topic } = difference
    const kept = this.#byVersion.get(version) ?? { items: new Map<string, ShadowDifference>(), more: 0 }
    this.#byVersion.delete(version)
    this.#byVersion.set(version, kept)
    for (const oldest of this.#byVersion.keys()) {
      if (this.#byVersion.size <= limits.shadowVersionsKeptMax) break
      this.#byVersion.delete(oldest)
    }
    // Several gates may tell of the same.
    const key = `${identity} ${action} ${topic}`
    if (kept.items.has(key)) return
    if (kept.items.size < limits.shadowDifferencesKeptMax) kept.items.set(key, difference)
    else kept.more++
  }

  of(version: number): KeptDifferences {
    const kept = this.#byVersion.get(version)
    return { items: [...(kept?.items.values() ?? [])], more: kept?.more ?? 0 }
  }
}
