/** Changing a trust anchor that is there: how revocations count, where word of them comes from, and who stands below it. */
import { HubError, quote } from '../core/errors.ts'
import type { RevocationBehaviour } from '../core/identification/anchor.ts'
import type { RevocationSources } from '../core/identification/revocation-sources.ts'
import { arrangeAuthorities, signersOf } from './anchor-signers.ts'
import { assertSources, placeFetches } from './anchor-sources.ts'
import { foundAnchor, pemOf, tellAnchor } from './change-anchors.ts'
import type { AnchorRow } from './ports/anchors.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Store } from './ports/store.ts'

/** What is left out stays as it is. */
export interface AnchorChanges {
  readonly revocation?: RevocationBehaviour
  readonly sources?: Partial<RevocationSources>
  /** DER: all authorities below it from now on, in any order. */
  readonly below?: readonly Uint8Array[]
}

/**
 * What lives on is judged by what holds then: sessions below an authority that is gone close.
 *
 * @throws HubError `anchor-not-found`, `anchor-unfit`, `anchor-sources-invalid`, `certificate-unreadable`, `anchor-state` where it is distrusted
 */
export async function editAnchor(
  hub: { readonly store: Pick<Store, 'write'>; readonly clock: Clock },
  actor: string,
  id: string,
  changes: AnchorChanges,
): Promise<AnchorRow> {
  return hub.store.write(async (tx) => {
    const before = await foundAnchor(tx, id)
    if (before.state === 'distrusted') {
      throw new HubError('anchor-state', `the trust anchor ${quote(id)} is distrusted, and nothing of it counts`)
    }
    const nowMs = hub.clock.nowMs()
    const row: AnchorRow = {
      ...before,
      revocation: changes.revocation ?? before.revocation,
      sources: { ...before.sources, ...changes.sources },
      below: changes.below === undefined ? before.below : belowOf(before, changes.below, nowSec(hub.clock)),
      changedAtMs: nowMs,
    }
    assertSources(row.sources)
    if (toldOf(row) === toldOf(before)) return before
    await tx.anchors.update(row)
    await placeFetches(tx, row, nowMs)
    await tellAnchor(tx, row, row.state)
    const [was, is] = [JSON.parse(toldOf(before)), JSON.parse(toldOf(row))]
    await tx.audit.append({ atMs: nowMs, actor, act: 'anchor.edit', subject: id, before: was, after: is })
    return row
  })
}

function belowOf({ certificate }: AnchorRow, below: readonly Uint8Array[], atSec: number): string {
  const others = below.filter((der) => Buffer.compare(der, certificate) !== 0)
  const arranged = arrangeAuthorities([certificate, ...others], atSec, 'below')
  return pemOf(arranged.below)
}

function toldOf(row: AnchorRow): string {
  const { revocation, sources } = row
  return JSON.stringify({
    revocation,
    sources,
    below: signersOf(row)
      .slice(1)
      .map(({ fingerprint }) => fingerprint),
  })
}
