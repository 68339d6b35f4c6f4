/** Full CRLs, one for each authority, kept fresh (RFC 5280 §5). */
import { HubError, quote } from '../core/errors.ts'
import { crlToBeSigned, signedCrl } from '../core/x509/crl.ts'
import type { Authorities, Authority } from './authorities.ts'
import type { Clock } from './ports/clock.ts'
import { type CrlRow, fullCrl } from './ports/crls.ts'
import type { Store, Transaction } from './ports/store.ts'

/** How long a CRL stays good. Devices and brokers that fetch it daily never meet an expired one. */
export const crlLifetimeMs: number = 72 * 3_600_000
/** A CRL older than this is made anew, long before its end. */
export const crlRefreshMs: number = 12 * 3_600_000
/** How far `thisUpdate` lies in the past, for readers whose clock runs behind. */
const crlBackdateMs = 5 * 60_000

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
}

/**
 * The current CRL of an authority, in DER, made anew when it is missing or old.
 *
 * @throws HubError `not-found` when no authority has this id
 */
export async function currentCrl(hub: Hub, authorityId: string): Promise<CrlRow> {
  const authority = authorityNamed(hub.authorities, authorityId)
  const latest = await hub.store.crls.latest(authority.id, fullCrl)
  const isFresh = (crl: CrlRow): boolean => {
    // A restored registry remembers the number of a CRL that it does not have.
    if (crl.crl.length === 0) return false
    // One from the future was made while the clock was wrong: it would look fresh for too long.
    const ageMs = hub.clock.nowMs() - (crl.thisUpdateMs + crlBackdateMs)
    return ageMs >= 0 && ageMs < crlRefreshMs
  }
  return latest !== null && isFresh(latest) ? latest : publishCrl(hub, authority.id, isFresh)
}

/**
 * Makes and stores a new CRL. Its number is one above the one before, or the time in milliseconds where that is more, so
 * that it never goes backwards, not even after a restored backup (§5.2.3).
 *
 * @param suffices whether the CRL that stands when this process is the one that writes is as good as a new one: another
 *   process may have made it meanwhile
 */
export async function publishCrl(
  hub: Hub,
  authorityId: string,
  suffices: (latest: CrlRow) => boolean = () => false,
): Promise<CrlRow> {
  const authority = authorityNamed(hub.authorities, authorityId)
  let made: CrlRow | null = null
  try {
    return await hub.store.write(async (tx) => {
      made = await makeCrl(hub, authority, tx, suffices)
      return made
    })
  } catch (error) {
    // It is committed: others must hear of revocations although the journal cannot be written.
    if (made !== null && error instanceof HubError && error.code === 'journal-unavailable') return made
    throw error
  }
}

async function makeCrl(
  hub: Hub,
  authority: Authority,
  tx: Transaction,
  suffices: (latest: CrlRow) => boolean,
): Promise<CrlRow> {
  const nowMs = hub.clock.nowMs()
  const previous = await tx.crls.latest(authority.id, fullCrl)
  if (previous !== null && suffices(previous)) return previous
  const number = previous === null || BigInt(nowMs) > previous.number ? BigInt(nowMs) : previous.number + 1n
  // An entry stays until it has stood on one CRL after the certificate's end (§3.3).
  const keptFromSec = Math.floor(Math.min(previous?.thisUpdateMs ?? 0, nowMs) / 1000)
  const revoked = await tx.credentials.revokedBelow(authority.id, keptFromSec, null)
  const thisUpdateMs = nowMs - crlBackdateMs
  const nextUpdateMs = nowMs + crlLifetimeMs
  const tbs = crlToBeSigned({
    issuer: authority.fields,
    distributionPoint: null,
    number,
    thisUpdateSec: Math.floor(thisUpdateMs / 1000),
    nextUpdateSec: Math.floor(nextUpdateMs / 1000),
    revoked,
  })
  const row: CrlRow = {
    authorityId: authority.id,
    shard: fullCrl,
    number,
    thisUpdateMs,
    nextUpdateMs,
    crl: signedCrl(tbs, await authority.signer.sign(tbs)),
    eventNumber: await tx.events.last(),
  }
  await tx.crls.save(row)
  await tx.events.append({
    type: 'crl-published',
    authorityId: authority.id,
    shard: fullCrl,
    crlNumber: number.toString(),
  })
  return row
}

function authorityNamed(authorities: Authorities, id: string): Authority {
  const found = authorities.byId(id)
  if (found === null) throw new HubError('not-found', `there is no authority ${quote(id)}`)
  return found
}
