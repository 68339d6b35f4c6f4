/**
 * Taking over what the journal gave back after a restored backup: identities as they were last, and credentials that devices
 * hold already.
 */
import { isDeepStrictEqual } from 'node:util'
import { HubError, quote } from '../core/errors.ts'
import { type Credential, credentialMovedTo } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { type Identity, identityMovedTo } from '../core/identity/identity.ts'
import type { Clock } from './ports/clock.ts'
import type { Adoption, Store, Transaction } from './ports/store.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

/** What an adoption of one identity would change. */
export interface AdoptionPlan {
  /** As it is now. */
  readonly identity: Identity
  /** As it would be, or null when it stays as it is. */
  readonly target: Identity | null
  /** Credentials that would be taken, oldest first. */
  readonly credentials: readonly Credential[]
}

/** What adoptions would change now, in their order; at most `limits.bulkRowsMax`. */
export async function adoptionPlans(
  store: Pick<Transaction, 'identities' | 'credentials'> | Store,
  adoptions: readonly Adoption[],
): Promise<readonly AdoptionPlan[]> {
  const ids = adoptions.map(({ identity }) => identity.id)
  const identities = new Map((await store.identities.findAll(ids)).map((identity) => [identity.id, identity]))
  const credentials = Map.groupBy(await store.credentials.unadoptedOf(ids), ({ identityId }) => identityId)
  return adoptions.flatMap((adoption) => {
    const identity = identities.get(adoption.identity.id)
    if (identity === undefined) return []
    return { identity, target: targetOf(identity, adoption), credentials: credentials.get(identity.id) ?? [] }
  })
}

/** An identity that was changed since the restore stays as somebody wanted it; only its approval is part of an adoption. */
function targetOf(now: Identity, { identity: then, versionThen }: Adoption): Identity | null {
  if (now.state === 'retired') return null
  const isUntouched = now.version === versionThen
  const opens = then.state === 'active' && (now.state === 'pending' || (now.state === 'disabled' && isUntouched))
  const { group, attributes, profiles, names, keyStorage } = isUntouched ? then : now
  const kept = { group, attributes, profiles, names, keyStorage }
  const target: Identity = { ...now, state: opens ? 'active' : now.state, ...kept }
  return isDeepStrictEqual(target, now) ? null : target
}

/** What an adoption has changed. */
export interface Adopted {
  readonly identity: Identity
  readonly credentials: readonly Credential[]
}

/**
 * Adopts one identity with its credentials: those that have been used open doors again, the newest as active, and those that
 * have not are pending.
 *
 * @param actor who asks, for the audit log
 * @throws HubError `nothing-to-adopt`
 */
export async function adoptIdentity(hub: Hub, actor: string, id: IdentityId): Promise<Adopted> {
  return hub.store.write(async (tx) => {
    const adoption = await tx.adoptions.find(id)
    const [plan] = adoption === null ? [] : await adoptionPlans(tx, [adoption])
    if (plan === undefined || (plan.target === null && plan.credentials.length === 0)) {
      throw new HubError('nothing-to-adopt', `nothing of ${quote(id)} waits to be adopted`)
    }
    const nowMs = hub.clock.nowMs()
    const identity = await adoptState(tx, plan, nowMs)
    const credentials = await adoptCredentials(tx, plan, nowMs)
    await tx.adoptions.removeAll([id])
    await tx.audit.append({
      atMs: nowMs,
      actor,
      act: 'device.adopt',
      subject: id,
      before: keptAbout(plan.identity),
      after: {
        ...keptAbout(identity),
        credentials: credentials.map(({ serialNumber }) => serialNumber),
      },
    })
    return { identity, credentials }
  })
}

function keptAbout({ state, group, attributes, profiles, names, keyStorage }: Identity) {
  return { state, group, attributes, profiles, names, keyStorage }
}

async function adoptState(tx: Transaction, { identity, target }: AdoptionPlan, nowMs: number): Promise<Identity> {
  if (target === null) return identity
  const { group, attributes, profiles, names, keyStorage } = target
  const moved = identityMovedTo(identity, target.state, nowMs)
  const kept = { group, attributes, profiles, names, keyStorage }
  const adopted = { ...moved, ...kept, updatedAtMs: nowMs, version: identity.version + 1 }
  await tx.identities.update(adopted)
  if (moved !== identity) {
    await tx.events.append({ type: 'identity-state-changed', identityId: identity.id, state: moved.state })
  }
  const { state: _now, ...before } = keptAbout(identity)
  const { state: _then, ...after } = keptAbout(adopted)
  if (!isDeepStrictEqual(before, after)) {
    await tx.events.append({ type: 'identity-changed', identityId: identity.id })
  }
  return adopted
}

async function adoptCredentials(tx: Transaction, plan: AdoptionPlan, nowMs: number): Promise<readonly Credential[]> {
  const active = await tx.credentials.ofIdentityIn(plan.identity.id, ['active'])
  const newestUse = new Map<string, Credential>()
  // What had been followed before the restore stays so, although its follower may be revoked by now.
  const inUse = [...active, ...plan.credentials.filter(({ supersededAtMs }) => supersededAtMs === null)]
  for (const credential of inUse.filter(({ activatedAtMs }) => activatedAtMs !== null)) {
    const before = newestUse.get(credential.profile)
    if (before === undefined || usedAt(before) <= usedAt(credential)) newestUse.set(credential.profile, credential)
  }
  for (const old of active.filter((each) => (newestUse.get(each.profile) ?? each) !== each)) {
    await tx.credentials.update(credentialMovedTo(old, 'superseded', nowMs))
    await tx.events.append({ type: 'credential-superseded', ...idsOf(old) })
  }
  const adopted: Credential[] = []
  for (const credential of plan.credentials) {
    const used = newestUse.get(credential.profile) === credential ? 'active' : 'superseded'
    const isUnused = credential.activatedAtMs === null && credential.supersededAtMs === null
    const state = isUnused ? 'pending' : used
    const moved = {
      ...credentialMovedTo(credential, state, credential.supersededAtMs ?? nowMs),
      activatedAtMs: credential.activatedAtMs,
    }
    await tx.credentials.update(moved)
    await tx.events.append({ type: 'credential-adopted', ...idsOf(moved) })
    adopted.push(moved)
  }
  return adopted
}

function usedAt({ activatedAtMs }: Credential): number {
  return activatedAtMs ?? 0
}

function idsOf({ identityId, fingerprint, serialNumber }: Credential) {
  return { identityId, fingerprint, serialNumber }
}
