/** Keeping CRLs fresh: after revocations, and long before they end. */
import { CrlContents } from './crl-contents.ts'
import { CrlDebts } from './crl-debts.ts'
import { type CrlHead, type CrlRow, fullCrl } from './ports/crls.ts'
import type { HubEvent } from './ports/events.ts'
import type { Log } from './ports/log.ts'
import type { Observer } from './ports/observer.ts'
import {
  type CrlHub,
  type CrlScope,
  crlLifetimeMs,
  currentCrl,
  isFresh,
  isLast,
  publishCrl,
  publishedHead,
} from './publish-crl.ts'

/** Revocations within this time share one CRL. */
const gatherMs = 1_000
/** How often the age of the CRLs is looked at, and what failed is tried again. */
const lookEveryMs = 60_000
/** Events that are read again at a start, to see which CRLs are owed; where there are more, all are made anew. */
const eventsReadMax = 200_000
/** A full CRL that took long is not made again at once: so much of the time it may take. */
const fullCrlShare = 1 / 20

/** When a CRL was made and when its successor is due at the latest, in milliseconds since the epoch. */
export type CrlDates = Pick<CrlRow, 'thisUpdateMs' | 'nextUpdateMs'>

export interface CrlRefresher {
  /** Tells of an event. What changes no CRL is passed over. */
  noted(event: HubEvent): void
  /**
   * The CRL to serve. A shard is made within a second after a revocation; the full CRL when it is asked for.
   *
   * @throws HubError `not-found`
   */
  current(scope: CrlScope): Promise<CrlRow>
  /** Of the CRL of an authority that ends first, or null while there is none. */
  datesOf(authorityId: string): CrlDates | null
  /** When the oldest revocation happened that no CRL holds yet, or null. */
  oldestOwedMs(): number | null
  /** Makes what is owed now, without waiting for more that may come. */
  settle(): Promise<void>
  stop(): Promise<void>
}

/**
 * Makes what is missing, too old or owed, because a hub that was killed may have owed some, and keeps all of it fresh from
 * then on. Processes that share a registry hear of the same revocation; the first of them makes the CRL, and the others find
 * that it holds the revocation already.
 */
export function keepCrlsFresh(
  hub: CrlHub & { readonly log: Log; readonly observer: Pick<Observer, 'revocationApplied'> },
): CrlRefresher {
  const { store, clock, authorities, log } = hub
  const debts = new CrlDebts(store)
  const contents = new CrlContents(store)
  /** Of all CRLs that are kept fresh, by authority and shard. */
  const heads = new Map<string, Map<number, CrlHead>>()
  const fullCrls = new Map<string, { readonly made: Promise<CrlRow>; readonly againAtMs: number }>()
  let gathering: NodeJS.Timeout | null = null
  let hasBegun = false
  let work: Promise<void> = Promise.resolve()

  async function begin(): Promise<void> {
    await debts.oweSince(await oldestEvent(), eventsReadMax)
    hasBegun = true
  }

  /** The newest event that all CRLs hold. */
  async function oldestEvent(): Promise<number> {
    let oldest = await store.events.last()
    for (const { id } of authorities.signing()) {
      for (const { head } of await kept(id)) if (head !== null) oldest = Math.min(oldest, head.eventNumber)
    }
    return oldest
  }

  /** The scopes of an authority whose CRLs are needed, with what there is of each. */
  async function kept(authorityId: string): Promise<{ readonly scope: CrlScope; readonly head: CrlHead | null }[]> {
    const headOf = (shard: number) => store.crls.head(authorityId, shard)
    const found = [{ scope: { authorityId, shard: fullCrl }, head: await headOf(fullCrl) }]
    const neededSec = Math.floor((clock.nowMs() - crlLifetimeMs) / 1000)
    for (const row of await store.crls.shards(authorityId, neededSec)) {
      const head = await headOf(row.shard)
      if (head === null || !isLast(head, row)) found.push({ scope: { authorityId, shard: row.shard }, head })
    }
    return found
  }

  async function lookAt(authorityId: string): Promise<void> {
    const known = new Map<number, CrlHead>()
    for (const { scope, head } of await kept(authorityId)) {
      const isOwed = debts.of(scope) !== null
      const now = head !== null && isFresh(clock, head) && !isOwed ? head : await made(scope)
      if (now !== null) known.set(scope.shard, now)
    }
    heads.set(authorityId, known)
  }

  /** Makes one that is owed or too old. Null when it cannot be made now. */
  async function made(scope: CrlScope): Promise<CrlHead | null> {
    const debt = debts.settle(scope)
    try {
      const suffices = (head: CrlHead): boolean =>
        isFresh(clock, head) && (debt === null || head.eventNumber >= debt.eventNumber)
      const head = await publishedHead(hub, scope, suffices)
      const ofAuthority = heads.get(scope.authorityId) ?? new Map<number, CrlHead>()
      heads.set(scope.authorityId, ofAuthority.set(scope.shard, head))
      for (const atMs of debt?.sinceMs ?? []) hub.observer.revocationApplied('crl', clock.nowMs() - atMs)
      return head
    } catch (error) {
      if (debt !== null) debts.takeBack(scope, debt)
      log.error('a CRL could not be made', { ...scope, error })
      return null
    }
  }

  async function look(): Promise<void> {
    try {
      if (!hasBegun) await begin()
      await debts.findScopes()
      for (const { id } of authorities.signing()) await lookAt(id)
    } catch (error) {
      log.error('CRLs could not be looked at', { error })
    }
  }

  async function settleAll(): Promise<void> {
    try {
      await debts.findScopes()
    } catch (error) {
      log.error('it cannot be seen which CRLs are owed', { error })
    }
    const signing = new Set(authorities.signing().map(({ id }) => id))
    for (const scope of debts.scopes()) if (signing.has(scope.authorityId)) await made(scope)
  }

  function after(step: () => Promise<void>): void {
    work = work.then(step)
  }

  async function current(scope: CrlScope): Promise<CrlRow> {
    const head = await store.crls.head(scope.authorityId, scope.shard)
    const stands = head === null ? null : await contents.of(head)
    if (stands !== null && (scope.shard === fullCrl ? isFullCurrent(stands) : await isShardCurrent(stands)))
      return stands
    try {
      return await (scope.shard === fullCrl ? fullMade(scope, debts.lastOf(scope.authorityId)) : currentCrl(hub, scope))
    } catch (error) {
      // A key that is not here, a registry that takes nothing: until it ends, what there is says more than nothing.
      if (stands === null || clock.nowMs() >= stands.nextUpdateMs) throw error
      return stands
    }
  }

  function isFullCurrent(head: CrlHead): boolean {
    const last = fullCrls.get(head.authorityId)
    if (last !== undefined && clock.nowMs() < last.againAtMs && last.againAtMs !== Number.POSITIVE_INFINITY) return true
    return isFresh(clock, head) && head.eventNumber >= debts.lastOf(head.authorityId)
  }

  async function isShardCurrent(head: CrlHead): Promise<boolean> {
    if (isFresh(clock, head)) return true
    const row = await store.crls.shard(head.authorityId, head.shard)
    return row !== null && isLast(head, row)
  }

  /** Those who ask at one time get the same. */
  function fullMade(scope: CrlScope, neededEvent: number): Promise<CrlRow> {
    const begunAtMs = clock.nowMs()
    const underWay = fullCrls.get(scope.authorityId)
    if (underWay !== undefined && underWay.againAtMs === Number.POSITIVE_INFINITY) return underWay.made
    const making = publishCrl(hub, scope, (head) => isFresh(clock, head) && head.eventNumber >= neededEvent)
    fullCrls.set(scope.authorityId, { made: making, againAtMs: Number.POSITIVE_INFINITY })
    const againAtMs = (): number => clock.nowMs() + Math.max(gatherMs, (clock.nowMs() - begunAtMs) / fullCrlShare)
    making.then(
      () => fullCrls.set(scope.authorityId, { made: making, againAtMs: againAtMs() }),
      () => fullCrls.delete(scope.authorityId),
    )
    return making
  }

  after(look)
  const timer = setInterval(() => after(look), lookEveryMs)
  timer.unref()

  return {
    noted(event) {
      if (!debts.noted(event)) return
      gathering ??= setTimeout(() => {
        gathering = null
        after(settleAll)
      }, gatherMs)
    },
    current,
    datesOf(authorityId) {
      let first: CrlDates | null = null
      for (const head of heads.get(authorityId)?.values() ?? []) {
        if (first === null || head.nextUpdateMs < first.nextUpdateMs) first = head
      }
      return first
    },
    oldestOwedMs: () => debts.oldestMs(),
    settle() {
      after(settleAll)
      return work
    },
    async stop() {
      clearInterval(timer)
      if (gathering !== null) clearTimeout(gathering)
      after(settleAll)
      await work
    },
  }
}
