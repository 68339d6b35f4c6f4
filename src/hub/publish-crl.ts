/** Making CRLs: the full one of an authority, and its shards (RFC 5280 §5). */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { type CrlContent, crlToBeSigned, encodeCrlEntries } from '../core/x509/crl.ts'
import { assertCrlAsPlanned, assertEntriesAsPlanned } from '../core/x509/crl-check.ts'
import { crlShardUrl } from '../core/x509/crl-shard-url.ts'
import type { Authorities } from './authorities.ts'
import type { Authority } from './authority.ts'
import type { Clock } from './ports/clock.ts'
import { type CrlHead, type CrlRow, type CrlShardRow, fullCrl } from './ports/crls.ts'
import type { RevokedPlace, Store } from './ports/store.ts'

/** How long a CRL stays good. Devices and brokers that fetch it daily never meet an expired one. */
export const crlLifetimeMs: number = 72 * 3_600_000
/** The same for the last one of an authority whose key leaves: until the next ceremony, with time to spare. */
export const offlineCrlLifetimeMs: number = 400 * 86_400_000
/** A CRL older than this is made anew, long before its end. */
export const crlRefreshMs: number = 12 * 3_600_000
/** How far `thisUpdate` lies in the past, for readers whose clock runs behind. */
export const crlBackdateMs: number = 5 * 60_000

/** What a CRL covers: all certificates of an authority (`fullCrl`), or those that name one shard. */
export interface CrlScope {
  readonly authorityId: string
  readonly shard: number
}

/** All certificates of an authority. */
export function fullScope(authorityId: string): CrlScope {
  return { authorityId, shard: fullCrl }
}

export interface CrlHub {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
}

/** A CRL that is there and young enough to be served as it is. */
export function isFresh(clock: Clock, head: CrlHead): boolean {
  // A restored registry remembers the number of a CRL that it does not have.
  if (head.nextUpdateMs <= head.thisUpdateMs) return false
  // One from the future was made while the clock was wrong: it would look fresh for too long.
  const ageMs = clock.nowMs() - (head.thisUpdateMs + crlBackdateMs)
  return ageMs >= 0 && ageMs < crlRefreshMs
}

/**
 * The current CRL of a scope, in DER, made anew when it is missing or old. One that covers a shard whose certificates have
 * all ended is not: what there was last is answered.
 *
 * @throws HubError `not-found` when there is no such authority or shard
 */
export async function currentCrl(hub: CrlHub, scope: CrlScope): Promise<CrlRow> {
  const latest = await hub.store.crls.latest(scope.authorityId, scope.shard)
  if (latest !== null && (isFresh(hub.clock, latest) || (await hasEnded(hub, scope, latest)))) return latest
  // Made to last when its key was taken away; there is no other until it is back.
  if (latest !== null && hub.authorities.byId(scope.authorityId)?.keyPlace === 'offline') return latest
  return publishCrl(hub, scope, (head) => isFresh(hub.clock, head))
}

/** True where a CRL of a shard was made after the last certificate that names it had ended: no other is needed (§3.3). */
async function hasEnded({ store }: CrlHub, { authorityId, shard }: CrlScope, head: CrlHead): Promise<boolean> {
  if (shard === fullCrl) return false
  const row = await store.crls.shard(authorityId, shard)
  return row !== null && isLast(head, row)
}

/** The same, of a shard that is known. */
export function isLast(head: CrlHead, { notAfterSec }: CrlShardRow): boolean {
  return head.thisUpdateMs > notAfterSec * 1000
}

/** Another process may publish at the same moment; whoever comes second tries again with a higher number. */
const triesMax = 5

/**
 * Makes and stores a new CRL. Its number is one above the one before, or the time in milliseconds where that is more, so
 * that it never goes backwards, not even after a restored backup (§5.2.3): it is kept for each scope, and whoever has made
 * one on the same number as another process makes his anew.
 *
 * @param suffices whether a CRL that stands is as good as a new one: another process may have made it meanwhile
 * @param lifetimeMs how long it stays good
 * @throws HubError `not-found` when there is no such authority or shard
 */
export async function publishCrl(
  hub: CrlHub,
  scope: CrlScope,
  suffices: (latest: CrlHead) => boolean = () => false,
  lifetimeMs: number = crlLifetimeMs,
): Promise<CrlRow> {
  for (;;) {
    const head = await publishedHead(hub, scope, suffices, lifetimeMs)
    if (isRow(head)) return head
    const latest = await hub.store.crls.latest(scope.authorityId, scope.shard)
    if (latest !== null && suffices(latest)) return latest
  }
}

function isRow(head: CrlHead): head is CrlRow {
  return 'crl' in head
}

/** The same, without reading the content of a CRL that suffices. */
export async function publishedHead(
  hub: CrlHub,
  scope: CrlScope,
  suffices: (latest: CrlHead) => boolean,
  lifetimeMs: number = crlLifetimeMs,
): Promise<CrlHead> {
  const { store } = hub
  const { authorityId, shard } = scope
  const authority = authorityNamed(hub.authorities, authorityId)
  const distributionPoint = await distributionPointOf(store, scope)
  for (let tries = 1; ; tries += 1) {
    const previous = await store.crls.head(authorityId, shard)
    if (previous !== null && suffices(previous)) return previous
    const row = await makeCrl(hub, authority, scope, { distributionPoint, previous, lifetimeMs })
    if (await saved(store, row)) return row
    if (tries === triesMax)
      throw new HubError('internal', `other processes publish the CRL of ${authorityId} without end`)
  }
}

/** Everything is read and signed outside the transaction, so that nobody waits for a long list. */
async function makeCrl(
  { store, clock }: CrlHub,
  authority: Authority,
  { shard }: CrlScope,
  {
    distributionPoint,
    previous,
    lifetimeMs,
  }: { readonly distributionPoint: string | null; readonly previous: CrlHead | null; readonly lifetimeMs: number },
): Promise<CrlRow> {
  // Before the list is read: what is revoked meanwhile may be in it or not.
  const eventNumber = await store.events.last()
  const nowMs = clock.nowMs()
  const number = previous === null || BigInt(nowMs) > previous.number ? BigInt(nowMs) : previous.number + 1n
  // An entry stays until it has stood on one CRL after the certificate's end (§3.3).
  const keptFromSec = Math.floor(Math.min(previous?.thisUpdateMs ?? 0, nowMs) / 1000)
  const parts = await encodedEntries(store, authority.id, shard, keptFromSec)
  const thisUpdateMs = nowMs - crlBackdateMs
  const nextUpdateMs = nowMs + lifetimeMs
  const content: Omit<CrlContent, 'revoked'> = {
    issuer: authority.fields,
    distributionPoint,
    number,
    thisUpdateSec: Math.floor(thisUpdateMs / 1000),
    nextUpdateSec: Math.floor(nextUpdateMs / 1000),
  }
  const tbs = crlToBeSigned({ ...content, revoked: { parts } })
  const crl = await authority.signCrl(tbs)
  assertCrlAsPlanned(crl, tbs, authority.certificate, { ...content, parts })
  return { authorityId: authority.id, shard, number, thisUpdateMs, nextUpdateMs, crl, eventNumber }
}

/** The entries of a scope, in parts of one page each; between two of them others have their turn. */
async function encodedEntries(
  store: Store,
  authorityId: string,
  shard: number,
  notAfterSec: number,
): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = []
  for (const each of await shardsWithin(store, authorityId, shard, notAfterSec)) {
    let after: RevokedPlace | null = null
    do {
      const page = await store.credentials.revoked({
        ...{ authorityId, shard: each, notAfterSec, after, limit: limits.pageRowsMax },
      })
      const part = encodeCrlEntries(page.items)
      assertEntriesAsPlanned(part, page.items)
      parts.push(part)
      after = page.next
      if (after !== null) await nextTurn()
    } while (after !== null)
  }
  return parts
}

/** Of a shard itself; of the full CRL all shards, and null for the certificates that name none. */
async function shardsWithin(
  store: Store,
  authorityId: string,
  shard: number,
  notAfterSec: number,
): Promise<readonly (number | null)[]> {
  if (shard !== fullCrl) return [shard]
  return [null, ...(await store.crls.shards(authorityId, notAfterSec)).map((row) => row.shard)]
}

/** False when another process has given away this number or a higher one. */
async function saved(store: Store, row: CrlRow): Promise<boolean> {
  const { authorityId, shard, number } = row
  let isSaved = false
  try {
    await store.write(async (tx) => {
      const latest = await tx.crls.head(authorityId, shard)
      isSaved = latest === null || latest.number < number
      if (!isSaved) return
      // Whoever signs with a key that has left meanwhile would put a short CRL in the place of the one made to last.
      const place = (await tx.authorities.all()).find(({ id }) => id === authorityId)?.keyPlace
      if (place === 'offline')
        throw new HubError('authority-key-offline', `the key of ${authorityId} is not here any more`)
      await tx.crls.save(row)
      await tx.events.append({ type: 'crl-published', authorityId, shard, crlNumber: number.toString() })
    })
  } catch (error) {
    // It is committed: others must hear of revocations although the journal cannot be written.
    if (!isSaved || !(error instanceof HubError) || error.code !== 'journal-unavailable') throw error
  }
  return isSaved
}

async function distributionPointOf(store: Store, { authorityId, shard }: CrlScope): Promise<string | null> {
  if (shard === fullCrl) return null
  const row = await store.crls.shard(authorityId, shard)
  if (row === null) throw new HubError('not-found', `${quote(authorityId)} has no shard ${shard}`)
  return crlShardUrl(row.base, authorityId, shard)
}

function authorityNamed(authorities: Authorities, id: string): Authority {
  const found = authorities.byId(id)
  if (found === null) throw new HubError('not-found', `there is no authority ${quote(id)}`)
  return found
}
