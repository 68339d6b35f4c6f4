/**
 * The policy in its versions: a draft is tried in the shadow of the active one, made active, and rolled back. Nothing is taken
 * that does not read, does not compile, or fails one of the tests that it brings.
 */
import { HubError } from '../core/errors.ts'
import { isIdentityId } from '../core/identity/id.ts'
import type { Identity } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import { type CompiledPolicy, compilePolicy } from '../core/policy/compile.ts'
import { failedExpectations, subjectsOf } from '../core/policy/expectations.ts'
import { parsePolicy } from '../core/policy/file/parse.ts'
import { policyInvalid, problemLine } from '../core/policy/file/problems.ts'
import type { Policy } from '../core/policy/model.ts'
import type { PolicyState } from '../core/policy/state.ts'
import type { Clock } from './ports/clock.ts'
import type { PolicyRow } from './ports/policies.ts'
import type { Store, Transaction } from './ports/store.ts'

export interface PolicyHub {
  readonly store: Pick<Store, 'write' | 'policies' | 'identities'>
  readonly clock: Clock
}

export interface TriedPolicy {
  readonly policy: Policy
  readonly compiled: CompiledPolicy
}

/**
 * Reads a policy and runs its tests against the registry as it is now.
 *
 * @throws HubError `policy-invalid`, `policy-test-failed`
 */
export async function triedPolicy(
  { identities }: Pick<Store | Transaction, 'identities'>,
  source: string,
  nowMs: number,
): Promise<TriedPolicy> {
  const policy = parsePolicy(source)
  const compiled = compilePolicy(policy)
  const ids = subjectsOf(policy).filter(isIdentityId)
  const known = new Map<string, Identity>()
  for (let start = 0; start < ids.length; start += limits.bulkRowsMax) {
    for (const identity of await identities.findAll(ids.slice(start, start + limits.bulkRowsMax))) {
      known.set(identity.id, identity)
    }
  }
  const failed = failedExpectations(policy, compiled, known, nowMs)
  const [first] = failed
  if (first === undefined) return { policy, compiled }
  const others = failed.length > 1 ? ` (and ${failed.length - 1} more)` : ''
  throw new HubError('policy-test-failed', `${problemLine(first)}${others}`, { faults: policyInvalid(failed).faults })
}

/** Writes a version down as a draft. @throws HubError `policy-invalid`, `policy-test-failed` */
export async function addPolicy(
  hub: PolicyHub,
  actor: string,
  { source, note }: { readonly source: string; readonly note: string },
): Promise<PolicyRow> {
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    await triedPolicy(tx, source, nowMs)
    await makeRoom(tx)
    const common = { createdAtMs: nowMs, changedAtMs: nowMs, activatedAtMs: null }
    const row = await tx.policies.insert({ ...common, state: 'draft', createdBy: actor, note, source })
    await audit(tx, { actor, nowMs, act: 'policy.add', row, before: null })
    return row
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
export async function shadowPolicy(hub: PolicyHub, actor: string, number: number): Promise<PolicyRow> {
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const row = await found(tx, number)
    if (row.state === 'shadow') return row
    if (row.state === 'active')
      throw new HubError('policy-state', `version ${number} is active, and cannot be its own shadow`)
    await triedPolicy(tx, row.source, nowMs)
    await endShadow(tx, nowMs)
    return moved(tx, { actor, nowMs, act: 'policy.shadow', row, state: 'shadow' })
  })
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
export async function activatePolicy(hub: PolicyHub, actor: string, number: number): Promise<PolicyRow> {
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const row = await found(tx, number)
    if (row.state === 'active') return row
    await triedPolicy(tx, row.source, nowMs)
    const before = await tx.policies.inState('active')
    if (before !== null) await tx.policies.update({ ...before, state: 'replaced', changedAtMs: nowMs })
    const active = await moved(tx, { actor, nowMs, act: 'policy.activate', row, state: 'active' })
    await tellActive(tx, active)
    return active
  })
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

async function found(tx: Transaction, number: number): Promise<PolicyRow> {
  const row = await tx.policies.find(number)
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
