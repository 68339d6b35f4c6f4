/** Taking the latest CRLs of a trust anchor. */
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { readForeignCrl } from '../core/x509/foreign-crl.ts'
import { signersOf } from './anchor-signers.ts'
import { foundAnchor } from './change-anchors.ts'
import type { AnchorCrlHead, AnchorCrlRow, AnchorRow } from './ports/anchors.ts'
import type { Clock } from './ports/clock.ts'
import type { Store, Transaction } from './ports/store.ts'

interface Hub {
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
}

/**
 * Takes the latest CRL of one of the authorities of a trust anchor, or a part of it. Sessions of those that it names end.
 *
 * @returns the CRL that is there now
 * @throws HubError `anchor-not-found`, `anchor-crl-unfit`, also for one that is older than the one there is
 */
export async function giveCrl(
  hub: Hub,
  actor: string,
  id: string,
  crl: Uint8Array,
): Promise<{ readonly row: AnchorRow; readonly crl: AnchorCrlHead }> {
  return hub.store.write(async (tx) => {
    const row = await foundAnchor(tx, id)
    const signers = signersOf(row)
    const read = readForeignCrl(
      crl,
      signers.map(({ fields }) => fields),
      limits.anchorCrlBytesMax,
    )
    const part = read.urls.join(' ')
    assertSize(crl, read.urls, part)
    const nowMs = hub.clock.nowMs()
    const issuer = signers.find(({ fields }) => fields === read.issuer)?.fingerprint ?? row.fingerprint
    const place = { anchorId: id, issuer, part }
    const before = await tx.anchors.crl(place)
    if (before !== null && Buffer.compare(before.crl, crl) === 0) return { row, crl: before }
    const [thisUpdateMs, nextUpdateMs] = [read.thisUpdateSec * 1000, read.nextUpdateSec * 1000]
    assertNext(before, thisUpdateMs, nextUpdateMs, nowMs)
    if (before === null) await assertRoom(tx, id)
    const crlRow = { ...place, thisUpdateMs, nextUpdateMs, givenAtMs: nowMs, crl }
    await tx.anchors.saveCrl(crlRow)
    const { fingerprint, state } = row
    const told = { crlThisUpdateMs: thisUpdateMs, crlIssuer: issuer, crlPart: part }
    await tx.events.append({ type: 'anchor-changed', anchorId: id, fingerprint, state, ...told })
    await tx.audit.append({
      ...{ atMs: nowMs, actor, act: 'anchor.crl', subject: id },
      before: before === null ? null : { thisUpdate: iso(before.thisUpdateMs) },
      after: {
        ...{ issuer, part, thisUpdate: iso(thisUpdateMs), nextUpdate: iso(nextUpdateMs) },
        revoked: read.serialNumbers.size,
      },
    })
    return { row, crl: crlRow }
  })
}

/** Addresses of a part are its name in the registry, where PostgreSQL takes no longer one into an index. */
const partCharsMax = 2 * limits.statusUrlCharsMax

function assertSize({ length }: Uint8Array, urls: readonly string[], part: string): void {
  if (part.length > partCharsMax) {
    const words = `the CRL is a part whose addresses have ${part.length} characters`
    throw new HubError('anchor-crl-unfit', `${words}; they may have ${partCharsMax}`)
  }
  const most = limits.anchorCrlPartBytesMax
  if (urls.length === 0 || length <= most) return
  throw new HubError('anchor-crl-unfit', `the CRL is a part of ${length} bytes; parts may have ${most}`)
}

function assertNext(before: AnchorCrlRow | null, thisUpdateMs: number, nextUpdateMs: number, nowMs: number): void {
  const unfit = (sentence: string): HubError => new HubError('anchor-crl-unfit', sentence)
  if (before !== null && before.thisUpdateMs > thisUpdateMs) {
    throw unfit(`the CRL is older than the one of ${iso(before.thisUpdateMs)} that is there`)
  }
  if (thisUpdateMs > nowMs + limits.statusClockSkewSec * 1000) throw unfit('the CRL is from the future')
  if (nextUpdateMs < nowMs) throw unfit(`the next CRL was due at ${iso(nextUpdateMs)}: give that one`)
}

async function assertRoom(tx: Transaction, id: string): Promise<void> {
  const heads = await tx.anchors.crlHeads(id)
  if (heads.length < limits.anchorCrlsMax) return
  throw new HubError('anchor-crl-unfit', `the trust anchor ${quote(id)} has ${heads.length} CRLs already`)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
