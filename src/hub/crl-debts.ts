/** Which CRLs do not hold what has happened, and since when. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Fingerprint } from '../core/identity/credential.ts'
import { limits } from '../core/limits.ts'
import { fullCrl } from './ports/crls.ts'
import type { HubEvent } from './ports/events.ts'
import type { Store } from './ports/store.ts'
import type { CrlScope } from './publish-crl.ts'

/** What one CRL owes. */
export interface CrlDebt {
  /** What was revoked up to this event must stand in it. */
  readonly eventNumber: number
  /** When what it owes happened, the oldest first; those that are too many are not timed. */
  readonly sinceMs: readonly number[]
}

/** An event that names a certificate and not its CRL. */
interface Unplaced {
  readonly fingerprint: Fingerprint
  readonly eventNumber: number
  /** Null where it takes nothing away, and is not timed. */
  readonly atMs: number | null
}

const eventsPerRead = 500

export class CrlDebts {
  readonly #store: Store
  /** By authority, then by shard. */
  readonly #debts = new Map<string, Map<number, { eventNumber: number; sinceMs: number[] }>>()
  #unplaced: Unplaced[] = []
  /** All CRLs must hold what happened up to here, whatever it was. */
  #owedByAll = 0
  /** The newest event of each authority that changes its full CRL. */
  readonly #last = new Map<string, number>()
  readonly #settledByAll = new Map<string, Set<number>>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Takes an event in. False when it changes no CRL. */
  noted(event: HubEvent): boolean {
    const { number: eventNumber, atMs } = event
    switch (event.type) {
      case 'credential-revoked':
        if (event.crlShard === undefined) this.#unplaced.push({ fingerprint: event.fingerprint, eventNumber, atMs })
        else this.#owe({ authorityId: event.authorityId, shard: event.crlShard ?? fullCrl }, eventNumber, atMs)
        return true
      case 'credential-issued':
        if (event.isHeld !== true) return false
        this.#unplaced.push({ fingerprint: event.fingerprint, eventNumber, atMs })
        return true
      // What was on hold is good again.
      case 'credential-released':
      case 'credential-adopted':
        this.#unplaced.push({ fingerprint: event.fingerprint, eventNumber, atMs: null })
        return true
      case 'registry-restored':
        this.oweAll(eventNumber)
        return true
      default:
        return false
    }
  }

  /** Reads the events above that number; where there are more than so many, everything is owed. */
  async oweSince(eventNumber: number, eventsMax: number): Promise<void> {
    const last = await this.#store.events.last()
    if (last - eventNumber > eventsMax) return this.oweAll(last)
    for (let position = eventNumber; ; ) {
      const events = await this.#store.events.after(position, eventsPerRead)
      for (const event of events) this.noted(event)
      position = events.at(-1)?.number ?? position
      if (events.length < eventsPerRead) return
      await nextTurn()
    }
  }

  oweAll(eventNumber: number): void {
    this.#owedByAll = Math.max(this.#owedByAll, eventNumber)
    this.#settledByAll.clear()
  }

  /** Looks up the CRLs of certificates that were named without them. */
  async findScopes(): Promise<void> {
    while (this.#unplaced.length > 0) {
      const some = this.#unplaced.slice(0, limits.bulkRowsMax)
      const found = await this.#store.credentials.findAll([...new Set(some.map(({ fingerprint }) => fingerprint))])
      const scopes = new Map(
        found.map(({ fingerprint, authorityId, crlShard }) => [
          fingerprint,
          { authorityId, shard: crlShard ?? fullCrl },
        ]),
      )
      for (const { fingerprint, eventNumber, atMs } of some) {
        const scope = scopes.get(fingerprint)
        if (scope !== undefined) this.#owe(scope, eventNumber, atMs)
      }
      this.#unplaced = this.#unplaced.slice(some.length)
    }
  }

  /** The scopes that owe something of their own. */
  scopes(): readonly CrlScope[] {
    return [...this.#debts].flatMap(([authorityId, shards]) =>
      [...shards.keys()].map((shard) => ({ authorityId, shard })),
    )
  }

  /** What a CRL owes, or null. */
  of({ authorityId, shard }: CrlScope): CrlDebt | null {
    const own = this.#debts.get(authorityId)?.get(shard) ?? null
    const isSettled = this.#settledByAll.get(authorityId)?.has(shard) === true
    if (this.#owedByAll === 0 || isSettled) return own
    return { eventNumber: Math.max(this.#owedByAll, own?.eventNumber ?? 0), sinceMs: own?.sinceMs ?? [] }
  }

  /** Takes the debt of a CRL that is about to be made. */
  settle(scope: CrlScope): CrlDebt | null {
    const debt = this.of(scope)
    const { authorityId, shard } = scope
    this.#debts.get(authorityId)?.delete(shard)
    const settled = this.#settledByAll.get(authorityId) ?? new Set<number>()
    this.#settledByAll.set(authorityId, settled.add(shard))
    return debt
  }

  /** Puts it back, because it could not be made. */
  takeBack(scope: CrlScope, debt: CrlDebt): void {
    if (debt.sinceMs.length === 0) this.#owe(scope, debt.eventNumber, null)
    for (const atMs of debt.sinceMs) this.#owe(scope, debt.eventNumber, atMs)
  }

  /** The newest event that the full CRL of an authority must hold. */
  lastOf(authorityId: string): number {
    return Math.max(this.#last.get(authorityId) ?? 0, this.#owedByAll)
  }

  oldestMs(): number | null {
    const oldest = [...this.#debts.values()].flatMap((shards) =>
      [...shards.values()].flatMap(({ sinceMs }) => sinceMs.slice(0, 1)),
    )
    for (const { atMs } of this.#unplaced) if (atMs !== null) oldest.push(atMs)
    return oldest.length === 0 ? null : oldest.reduce((least, atMs) => Math.min(least, atMs))
  }

  #owe({ authorityId, shard }: CrlScope, eventNumber: number, atMs: number | null): void {
    const shards = this.#debts.get(authorityId) ?? new Map()
    this.#debts.set(authorityId, shards)
    const debt = shards.get(shard) ?? { eventNumber: 0, sinceMs: [] }
    shards.set(shard, debt)
    debt.eventNumber = Math.max(debt.eventNumber, eventNumber)
    if (atMs !== null && debt.sinceMs.length < limits.revocationsTimedMax) debt.sinceMs.push(atMs)
    this.#last.set(authorityId, Math.max(eventNumber, this.#last.get(authorityId) ?? 0))
  }
}
