/** The steps that a roll-over goes by itself. Each is one transaction, and finds by the state whether it was done. */

import { credentialStates } from '../../core/identity/credential.ts'
import { limits } from '../../core/limits.ts'
import type { AuthorityRow, RollOverRow } from '../ports/authorities.ts'
import { nowSec } from '../ports/clock.ts'
import type { Store, Transaction } from '../ports/store.ts'
import { crlLifetimeMs } from '../publish-crl.ts'
import { partsOf, type RollOverHub, writeStep } from './roll-over.ts'
import { afterAct, isOver } from './states.ts'

export interface AdvancingHub extends RollOverHub {
  /** Makes the first CRL of an authority before anybody meets a certificate of it. */
  ensureCrl(authorityId: string): Promise<unknown>
}

const actor = 'hub'

/** Goes on with every roll-over as far as it can, and retires authorities that have nothing left. */
export async function advanceAll(hub: AdvancingHub): Promise<void> {
  for (const { id } of (await hub.store.rollOvers.all()).filter(({ state }) => !isOver(state))) {
    while (await advance(hub, id)) await hub.authorities.refresh()
  }
  await retireEnded(hub)
}

/** One step. @returns whether there was one */
async function advance(hub: AdvancingHub, id: string): Promise<boolean> {
  const row = (await hub.store.rollOvers.all()).find((each) => each.id === id)
  if (row === undefined || row.isPaused) return false
  switch (row.state) {
    case 'prepared':
      return step(hub, row, async () => ({}))
    case 'published': {
      for (const each of await successorsOf(hub, row)) await hub.ensureCrl(each)
      return step(hub, row, async (tx, now) => statesAfterSwitch(await tx.authorities.all(), now))
    }
    case 'cutting':
      if (!(await isShareReached(hub.store, row))) return false
      return step(hub, row, async (_tx, now) => ({ [now.fromId]: 'retired' }))
    default:
      return false
  }
}

/** Writes the next state, unless somebody was faster or has paused it. */
async function step(
  hub: AdvancingHub,
  row: RollOverRow,
  changes: (tx: Transaction, now: RollOverRow) => Promise<Readonly<Record<string, AuthorityRow['state']>>>,
): Promise<boolean> {
  return hub.store.write(async (tx) => {
    const now = (await tx.rollOvers.all()).find((each) => each.id === row.id)
    if (now === undefined || now.state !== row.state || now.isPaused) return false
    const state = afterAct(now.role, now.state, 'advance')
    if (state === null) return false
    await writeStep(hub, tx, {
      actor,
      act: `authority.${state}`,
      before: now,
      after: { state },
      authorities: await changes(tx, now),
    })
    return true
  })
}

async function successorsOf(hub: RollOverHub, row: RollOverRow): Promise<readonly string[]> {
  return [row.toId, ...partsOf(await hub.store.authorities.all(), row).newBelow]
}

function statesAfterSwitch(
  rows: readonly AuthorityRow[],
  row: RollOverRow,
): Readonly<Record<string, AuthorityRow['state']>> {
  const { oldBelow, newBelow } = partsOf(rows, row)
  const isLive = (id: string): boolean => rows.find((each) => each.id === id)?.state === 'active'
  return {
    ...Object.fromEntries([row.fromId, ...oldBelow.filter(isLive)].map((id) => [id, 'previous'] as const)),
    ...Object.fromEntries([row.toId, ...newBelow].map((id) => [id, 'active'] as const)),
  }
}

/** How far devices are known to trust the new root. */
export async function shareOf(
  store: Pick<Store, 'rollOvers'>,
  { toId }: RollOverRow,
): Promise<{ readonly devices: number; readonly acknowledged: number }> {
  return store.rollOvers.standing(toId)
}

/** Whether so many of a hundred are among all; of none all are. */
export function isShare(acknowledged: number, devices: number, sharePercent: number): boolean {
  return acknowledged * 100 >= devices * sharePercent
}

async function isShareReached(store: Pick<Store, 'rollOvers'>, row: RollOverRow): Promise<boolean> {
  const { devices, acknowledged } = await shareOf(store, row)
  return isShare(acknowledged, devices, row.sharePercent)
}

/**
 * Retires issuing authorities that sign only CRLs and have no certificate left that could stand in one. An entry stays until
 * it has stood on a CRL after its certificate's end (RFC 5280 §3.3), so one lifetime of a CRL is waited for.
 */
async function retireEnded(hub: RollOverHub): Promise<void> {
  const ended = nowSec(hub.clock) - Math.ceil(crlLifetimeMs / 1000)
  for (const row of await hub.store.authorities.all()) {
    if (row.role !== 'issuing' || row.state !== 'previous') continue
    if (await hasCertificates(hub.store, row.id, ended)) continue
    await hub.store.write((tx) => retire(hub, tx, row.id))
    await hub.authorities.refresh()
  }
}

async function hasCertificates(store: Store, authorityId: string, fromSec: number): Promise<boolean> {
  for (const state of credentialStates) {
    const query = { authorityId, state, fromSec, beforeSec: Number.MAX_SAFE_INTEGER }
    if ((await store.counts.credentialsEnding(query)) > 0) return true
  }
  return false
}

async function retire(hub: RollOverHub, tx: Transaction, id: string): Promise<void> {
  const row = (await tx.authorities.all()).find((each) => each.id === id)
  if (row?.state !== 'previous') return
  const waiting = (await tx.rollOvers.all()).find(({ fromId, state }) => fromId === id && state === 'switched')
  if (waiting !== undefined) {
    await writeStep(hub, tx, {
      actor,
      act: 'authority.done',
      before: waiting,
      after: { state: 'done' },
      authorities: { [id]: 'retired' },
    })
    return
  }
  await tx.authorities.update({ ...row, state: 'retired' })
  await tx.events.append({ type: 'authority-changed', authorityId: id })
  const atMs = hub.clock.nowMs()
  await tx.audit.append({
    atMs,
    actor,
    act: 'authority.retire',
    subject: id,
    before: { state: row.state },
    after: { state: 'retired' },
  })
}

/** How often roll-overs are looked at. */
export const rollOverLookMs: number = limits.rollOverLookMs
