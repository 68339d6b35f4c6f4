/**
 * What has lately happened to identities, for connections of which it is not known yet whose they are: one list for all of
 * them. A connection remembers the number of the last change before it, and asks for those after it once it has a name.
 */
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Identity } from '../core/identity/identity.ts'

/** What happened to one identity since a number. */
export interface Missed {
  /** Why its connections were closed last; null where they were not. */
  readonly closed: FailureName | null
  /** What it has become; null where it has not changed. */
  readonly identity: Identity | null
}

interface Changes {
  /** Of the later of the two. */
  readonly number: number
  readonly closed: { readonly number: number; readonly code: FailureName } | null
  readonly changed: { readonly number: number; readonly identity: Identity } | null
}

const nothing: Missed = { closed: null, identity: null }

export class MissedChanges {
  readonly #max: number
  /** By identity, the one that changed longest ago first. */
  readonly #byIdentity = new Map<string, Changes>()
  #last = 0
  /** The number up to which changes may have been dropped to keep within `max`. */
  #droppedTo = 0

  /** @param max identities that are kept, at least 1 */
  constructor(max: number) {
    this.#max = max
  }

  /** Number of the last change. */
  get last(): number {
    return this.#last
  }

  get size(): number {
    return this.#byIdentity.size
  }

  noteClosed(identityId: string, code: FailureName): void {
    const number = ++this.#last
    const { changed = null } = this.#byIdentity.get(identityId) ?? {}
    this.#put(identityId, { number, closed: { number, code }, changed })
  }

  noteChanged(identity: Identity): void {
    const number = ++this.#last
    const { closed = null, changed = null } = this.#byIdentity.get(identity.id) ?? {}
    // Two reads of one identity may end in the other order.
    const latest = changed !== null && changed.identity.version > identity.version ? changed.identity : identity
    this.#put(identity.id, { number, closed, changed: { number, identity: latest } })
  }

  /** @returns null where that is so long ago that nobody can tell any more */
  since(number: number, identityId: string): Missed | null {
    if (number < this.#droppedTo) return null
    const changes = this.#byIdentity.get(identityId)
    if (changes === undefined) return nothing
    const { closed, changed } = changes
    return {
      closed: closed !== null && closed.number > number ? closed.code : null,
      identity: changed !== null && changed.number > number ? changed.identity : null,
    }
  }

  /** Nobody will ask for what happened up to a number. */
  forget(number: number): void {
    for (const [identityId, changes] of this.#byIdentity) {
      if (changes.number > number) return
      this.#byIdentity.delete(identityId)
    }
  }

  #put(identityId: string, changes: Changes): void {
    // At the end, because it changed last.
    this.#byIdentity.delete(identityId)
    this.#byIdentity.set(identityId, changes)
    if (this.#byIdentity.size <= this.#max) return
    for (const [oldest, { number }] of this.#byIdentity) {
      this.#byIdentity.delete(oldest)
      this.#droppedTo = number
      return
    }
  }
}
