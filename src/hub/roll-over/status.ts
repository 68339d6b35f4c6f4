/** How far a roll-over has come, for whoever watches it. */
import type { IdentityId } from '../../core/identity/id.ts'
import { limits } from '../../core/limits.ts'
import type { RollOverRow } from '../ports/authorities.ts'
import type { Store } from '../ports/store.ts'
import { shareOf } from './advance.ts'
import { isOver } from './states.ts'

export interface RollOverStatus extends RollOverRow {
  readonly devices: number
  readonly acknowledged: number
  /** The first of those who are not known to trust the successor. */
  readonly unknown: readonly IdentityId[]
}

/** Counts for a root; an issuing authority asks nothing of devices. */
export async function describeRollOver(store: Pick<Store, 'rollOvers'>, row: RollOverRow): Promise<RollOverStatus> {
  const standing = await shareOf(store, row)
  if (row.role === 'issuing' || isOver(row.state)) return { ...row, ...standing, unknown: [] }
  return { ...row, ...standing, unknown: await store.rollOvers.unknown(row.toId, limits.unknownDevicesShownMax) }
}
