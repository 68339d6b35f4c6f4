/** What all acts on roll-overs share: where they are done, which one is open, and how a step is written down. */
import { HubError, quote } from '../../core/errors.ts'
import type { Authorities } from '../authorities.ts'
import type { AuthorityRow, RollOverRow } from '../ports/authorities.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store, Transaction } from '../ports/store.ts'
import { isOver, type RollOverState } from './states.ts'

export interface RollOverHub {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
}

/** The one of a chain that has not ended, or null. */
export function openRollOver(rows: readonly RollOverRow[], chain: string): RollOverRow | null {
  return rows.find((each) => each.chain === chain && !isOver(each.state)) ?? null
}

/** @throws HubError `roll-over-missing` */
export async function theOpenRollOver(tx: Pick<Transaction, 'rollOvers'>, chain: string): Promise<RollOverRow> {
  const row = openRollOver(await tx.rollOvers.all(), chain)
  if (row === null) throw new HubError('roll-over-missing', `no roll-over of the chain ${quote(chain)} is under way`)
  return row
}

/** Writes what a roll-over has become, with the authorities that it changes: all of it or nothing. */
export async function writeStep(
  hub: Pick<RollOverHub, 'clock'>,
  tx: Transaction,
  step: {
    readonly actor: string
    readonly act: string
    readonly before: RollOverRow
    readonly after: Partial<Pick<RollOverRow, 'state' | 'isPaused' | 'sharePercent'>>
    /** New states of authorities, by id. */
    readonly authorities?: Readonly<Record<string, AuthorityRow['state']>>
    /** What else the audit log should know. */
    readonly note?: Readonly<Record<string, unknown>>
  },
): Promise<RollOverRow> {
  const { before } = step
  const after: RollOverRow = { ...before, ...step.after, changedAtMs: hub.clock.nowMs() }
  await tx.rollOvers.update(after)
  const changes = Object.entries(step.authorities ?? {})
  const rows = await tx.authorities.all()
  for (const [id, state] of changes) {
    const row = rows.find((each) => each.id === id)
    if (row === undefined) throw new HubError('internal', `a roll-over names ${quote(id)}, which there is not`)
    await tx.authorities.update({ ...row, state })
  }
  // Also where no authority has changed: what others may see of the successor depends on the state of its roll-over.
  for (const id of new Set([before.toId, ...changes.map(([id]) => id)])) {
    await tx.events.append({ type: 'authority-changed', authorityId: id })
  }
  await tx.audit.append({
    atMs: hub.clock.nowMs(),
    actor: step.actor,
    act: step.act,
    subject: before.toId,
    before: { state: before.state, isPaused: before.isPaused },
    after: { state: after.state, isPaused: after.isPaused, ...step.note },
  })
  return after
}

/** The authorities that a roll-over concerns: for a root also those that issue below the two. */
export function partsOf(rows: readonly AuthorityRow[], rollOver: Pick<RollOverRow, 'role' | 'fromId' | 'toId'>) {
  const below = (id: string): readonly string[] =>
    rollOver.role === 'issuing' ? [] : rows.filter(({ parentId }) => parentId === id).map((row) => row.id)
  return { oldBelow: below(rollOver.fromId), newBelow: below(rollOver.toId) }
}

/** @throws HubError `roll-over-step-refused` */
export function refuseStep({ state, role, chain }: RollOverRow, act: string): never {
  throw new HubError(
    'roll-over-step-refused',
    `${act} does not fit: the ${role} of ${quote(chain)} is ${stateText(state)}`,
  )
}

export function stateText(state: RollOverState): string {
  switch (state) {
    case 'prepared':
      return 'prepared'
    case 'published':
      return 'published'
    case 'switched':
      return 'switched'
    case 'cutting':
      return 'waiting for its cut'
    case 'done':
      return 'changed'
    case 'undone':
      return 'back as it was'
  }
}
