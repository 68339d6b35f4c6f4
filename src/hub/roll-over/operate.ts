/** What an operator does to a roll-over that is under way. */
import { HubError } from '../../core/errors.ts'
import type { AuthorityRow, RollOverRow } from '../ports/authorities.ts'
import type { Transaction } from '../ports/store.ts'
import { isShare, shareOf } from './advance.ts'
import { partsOf, type RollOverHub, refuseStep, theOpenRollOver, writeStep } from './roll-over.ts'
import { afterAct, hasSwitched } from './states.ts'

/** Stops it where it is, or lets it go on. @throws HubError `roll-over-missing` */
export async function pauseRollOver(
  hub: RollOverHub,
  actor: string,
  chain: string,
  isPaused: boolean,
): Promise<RollOverRow> {
  return changed(hub, async (tx) => {
    const before = await theOpenRollOver(tx, chain)
    if (before.isPaused === isPaused) return before
    const act = isPaused ? 'authority.pause' : 'authority.resume'
    return writeStep(hub, tx, { actor, act, before, after: { isPaused } })
  })
}

/**
 * Takes everything back: the old authority signs again. What the successor has signed stays good and stands in its CRLs until
 * it ends; a new root is not trusted any more, and what is below it is reached through the old one.
 *
 * @throws HubError `roll-over-missing`
 */
export async function undoRollOver(hub: RollOverHub, actor: string, chain: string): Promise<RollOverRow> {
  return changed(hub, async (tx) => {
    const before = await theOpenRollOver(tx, chain)
    const state = afterAct(before.role, before.state, 'undo') ?? refuseStep(before, 'undo')
    const authorities = statesAfterUndo(await tx.authorities.all(), before)
    return writeStep(hub, tx, { actor, act: 'authority.undo', before, after: { state }, authorities })
  })
}

function statesAfterUndo(
  rows: readonly AuthorityRow[],
  rollOver: RollOverRow,
): Readonly<Record<string, AuthorityRow['state']>> {
  const { role, fromId, toId, state } = rollOver
  const { oldBelow, newBelow } = partsOf(rows, rollOver)
  const successors = role === 'root' ? newBelow : [toId]
  const newState = hasSwitched(state) ? 'previous' : 'retired'
  // Of several that stand below the old root, the newest was the one that signed.
  const signer = oldBelow.findLast((id) => rows.find((each) => each.id === id)?.state === 'previous')
  return {
    ...Object.fromEntries(successors.map((id) => [id, newState] as const)),
    ...(role === 'root' ? { [toId]: 'retired' as const } : {}),
    ...(hasSwitched(state) ? { [fromId]: 'active' as const } : {}),
    ...(hasSwitched(state) && signer !== undefined ? { [signer]: 'active' as const } : {}),
  }
}

/**
 * Takes the old root away once the share of devices is known to trust the new one, or now if it is forced. Whoever knows only
 * the old root does not trust the hub after that.
 *
 * @param sharePercent how many of a hundred devices must be known to trust the new root
 * @throws HubError `roll-over-missing`, `roll-over-step-refused` where it is not that far
 */
export async function cutRollOver(
  hub: RollOverHub,
  actor: string,
  chain: string,
  order: { readonly sharePercent: number; readonly isForced: boolean },
): Promise<RollOverRow> {
  const { sharePercent, isForced } = order
  return changed(hub, async (tx) => {
    const before = await theOpenRollOver(tx, chain)
    const cutting = before.state === 'cutting' ? before.state : afterAct(before.role, before.state, 'cut')
    if (cutting === null) refuseStep(before, 'the cut')
    if (before.isPaused) {
      throw new HubError('roll-over-step-refused', 'the roll-over is paused', { hint: 'resume it first' })
    }
    const standing = await shareOf({ rollOvers: tx.rollOvers }, before)
    const isDue = isForced || isShare(standing.acknowledged, standing.devices, sharePercent)
    return writeStep(hub, tx, {
      actor,
      act: 'authority.cut',
      before,
      after: { state: isDue ? 'done' : cutting, sharePercent },
      authorities: isDue ? { [before.fromId]: 'retired' } : {},
      note: { sharePercent, isForced, ...standing },
    })
  })
}

async function changed(hub: RollOverHub, work: (tx: Transaction) => Promise<RollOverRow>): Promise<RollOverRow> {
  const row = await hub.store.write(work)
  await hub.authorities.refresh()
  return row
}
