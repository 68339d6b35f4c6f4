/**
 * The policy in its versions: a draft is tried in the shadow of the active one, made active, and rolled back. Nothing is taken
 * that does not read, does not compile, or fails one of the tests that it brings.
 */
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { lintPolicy } from '../core/policy/lint/lint.ts'
import type { Finding } from '../core/policy/lint/rule.ts'
import type { PolicyState } from '../core/policy/state.ts'
import { anchorStates } from './check-policy.ts'
import { assertHolds, type CompiledFile, compiledFile } from './policy-files/try.ts'
import type { Clock } from './ports/clock.ts'
import type { PolicyRow } from './ports/policies.ts'
import type { Store, Transaction } from './ports/store.ts'

export interface PolicyHub {
  readonly store: Pick<Store, 'write' | 'policies' | 'identities'>
  readonly clock: Clock
}

/** A version that was written down, and what its author hardly meant. */
export interface AddedPolicy {
  readonly row: PolicyRow
  readonly warnings: readonly Finding[]
}

/** Done in the transaction of the act, behind all else of it. */
type Finish<Done> = (tx: Transaction, done: Done) => Promise<void>

const nothingElse = async (): Promise<void> => {}

/** Writes a version down as a draft. @throws HubError `policy-invalid`, `policy-test-failed` */
export async function addPolicy(
  hub: PolicyHub,
  actor: string,
  { source, note }: { readonly source: string; readonly note: string },
  finish: Finish<AddedPolicy> = nothingElse,
): Promise<AddedPolicy> {
  const file = await compiledFile(source)
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    await assertHolds(tx, file, nowMs)
    await makeRoom(tx)
    const common = { createdAtMs: nowMs, changedAtMs: nowMs, activatedAtMs: null }
    const row = await tx.policies.insert({ ...common, state: 'draft', createdBy: actor, note, source })
    await audit(tx, { actor, nowMs, act: 'policy.add', row, before: null })
    const added = { row, warnings: lintPolicy(file.policy, { fleet: null, anchors: await anchorStates(tx) }, nowMs) }
    await finish(tx, added)
    return added
  })
}

/** The oldest that are not in use go. */
async function makeRoom(tx: Transaction): Promise<void> {
  const all = await tx.policies.all()
  const idle = all.filter(({ state }) => state !== 'active' && state !== 'shadow').toReversed()
  for (const { number } of idle.slice(0, Math.max(0, all.length - limits.policiesKeptMax + 1))) {
    await tx.policies.remove(number)
  }
}

/** Has a version decide beside the active one: what it would decide otherwise is told, and nothing else. */
export async function shadowPolicy(
  hub: PolicyHub,
  actor: string,
  number: number,
  finish: Finish<PolicyRow> = nothingElse,
): Promise<PolicyRow> {
  const file = await compiledFile((await foundPolicy(hub.store, number)).source)
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const row = await foundPolicy(tx, number)
    if (row.state === 'active')
      throw new HubError('policy-state', `version ${number} is active, and cannot be its own shadow`)
    const shadow = row.state === 'shadow' ? row : await madeShadow(tx, { actor, nowMs, row, file })
    await finish(tx, shadow)
    return shadow
  })
}

/** A version on its way to another state, with what was read of its file. */
interface OfFile extends Pick<Move, 'actor' | 'nowMs' | 'row'> {
  readonly file: CompiledFile
}

async function madeShadow(tx: Transaction, { actor, nowMs, row, file }: OfFile): Promise<PolicyRow> {
  await assertHolds(tx, file, nowMs)
  await endShadow(tx, nowMs)
  return moved(tx, { actor, nowMs, act: 'policy.shadow', row, state: 'shadow' })
}

/** Ends the shadow; without one it changes nothing. @returns what was the shadow, or null */
export async function unshadowPolicy(hub: PolicyHub, actor: string): Promise<PolicyRow | null> {
  return hub.store.write(async (tx) => {
    const row = await tx.policies.inState('shadow')
    if (row === null) return null
    return moved(tx, { actor, nowMs: hub.clock.nowMs(), act: 'policy.unshadow', row, state: 'draft' })
  })
}

async function endShadow(tx: Transaction, nowMs: number): Promise<void> {
  const shadow = await tx.policies.inState('shadow')
  if (shadow !== null) await tx.policies.update({ ...shadow, state: 'draft', changedAtMs: nowMs })
}

/** From now on this version decides, on sessions that live as well. */
export async function activatePolicy(
  hub: PolicyHub,
  actor: string,
  number: number,
  finish: Finish<PolicyRow> = nothingElse,
): Promise<PolicyRow> {
  const file = await compiledFile((await foundPolicy(hub.store, number)).source)
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const row = await foundPolicy(tx, number)
    const active = row.state === 'active' ? row : await madeActive(tx, { actor, nowMs, row, file })
    await finish(tx, active)
    return active
  })
}

async function madeActive(tx: Transaction, { actor, nowMs, row, file }: OfFile): Promise<PolicyRow> {
  await assertHolds(tx, file, nowMs)
  const before = await tx.policies.inState('active')
  if (before !== null) await tx.policies.update({ ...before, state: 'replaced', changedAtMs: nowMs })
  const active = await moved(tx, { actor, nowMs, act: 'policy.activate', row, state: 'active' })
  await tellActive(tx, active)
  return active
}

/**
 * Takes the active version back: what was active before it decides again, and where nothing was, the default does.
 *
 * @returns the version that decides now, or null for the default
 * @throws HubError `policy-none` where none is active
 */
export async function rollBackPolicy(hub: PolicyHub, actor: string): Promise<PolicyRow | null> {
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const row = await tx.policies.inState('active')
    if (row === null)
      throw new HubError('policy-none', 'no policy is active: the default decides, and nothing is before it')
    const before = await tx.policies.inState('replaced')
    await moved(tx, { actor, nowMs, act: 'policy.rollback', row, state: 'withdrawn' })
    // It keeps the time at which it was first active, so that the next step back goes on from there.
    const active = before === null ? null : ({ ...before, state: 'active', changedAtMs: nowMs } as const)
    if (active !== null) await tx.policies.update(active)
    await tellActive(tx, active)
    return active
  })
}

/** @throws HubError `policy-not-found` */
export async function foundPolicy({ policies }: Pick<Store, 'policies'>, number: number): Promise<PolicyRow> {
  const row = await policies.find(number)
  if (row === null) throw new HubError('policy-not-found', `there is no version ${number} of the policy`)
  return row
}

interface Move {
  readonly actor: string
  readonly nowMs: number
  readonly act: string
  readonly row: PolicyRow
  readonly state: PolicyState
}

async function moved(tx: Transaction, { actor, nowMs, act, row: before, state }: Move): Promise<PolicyRow> {
  const activatedAtMs = state === 'active' ? nowMs : before.activatedAtMs
  const row = { ...before, state, changedAtMs: nowMs, activatedAtMs }
  await tx.policies.update(row)
  await audit(tx, { actor, nowMs, act, row, before })
  if (state === 'shadow' || before.state === 'shadow') {
    await tx.events.append({ type: 'policy-shadowed', version: state === 'shadow' ? row.number : null })
  }
  return row
}

async function tellActive(tx: Transaction, active: PolicyRow | null): Promise<void> {
  const { number, source } = active ?? { number: null, source: null }
  await tx.events.append({ type: 'policy-activated', version: number, source })
}

async function audit(
  tx: Transaction,
  entry: {
    readonly actor: string
    readonly nowMs: number
    readonly act: string
    readonly row: PolicyRow
    readonly before: PolicyRow | null
  },
): Promise<void> {
  const { actor, nowMs, act, row, before } = entry
  await tx.audit.append({
    atMs: nowMs,
    actor,
    act,
    subject: `policy ${row.number}`,
    before: before === null ? null : { state: before.state },
    after: { state: row.state, note: row.note },
  })
}
