/** The profiles of an operator's own: writing, changing and removing them. */
import { isDeepStrictEqual } from 'node:util'
import { HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { builtInProfile, grantableProfiles } from '../core/profile/built-in.ts'
import { parseOwnProfile } from '../core/profile/own-profile.ts'
import type { Profile } from '../core/profile/profile.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { ProfileReader, ProfileRow } from './ports/grants.ts'
import type { Store, Transaction } from './ports/store.ts'
import { profileOfRow } from './profiles.ts'

interface Hub {
  readonly store: Pick<Store, 'write' | 'profiles'>
  readonly clock: Clock
}

/** A profile that identities can be granted. */
export interface KnownProfile {
  readonly profile: Profile
  /** Null for a built-in one. */
  readonly row: ProfileRow | null
}

/** Those that can be granted: the built-in ones, then the operator's own by name. */
export async function knownProfiles(store: {
  readonly profiles: Pick<ProfileReader, 'all'>
}): Promise<readonly KnownProfile[]> {
  const rows = await store.profiles.all()
  return [
    ...grantableProfiles.map((profile) => ({ profile, row: null })),
    ...rows.map((row) => ({ profile: profileOfRow(row), row })),
  ]
}

/** @throws HubError `profile-not-found` */
export async function knownProfile(
  store: { readonly profiles: Pick<ProfileReader, 'find'> },
  name: string,
): Promise<KnownProfile> {
  const builtIn = grantableProfiles.find((profile) => profile.name === name)
  if (builtIn !== undefined) return { profile: builtIn, row: null }
  const row = await store.profiles.find(name)
  if (row === null) throw new HubError('profile-not-found', `there is no profile ${quote(name)}`)
  return { profile: profileOfRow(row), row }
}

/**
 * Adds a profile.
 *
 * @param actor who asks, for the audit log
 * @throws HubError `profile-invalid`, `profile-built-in`, `profile-exists`, `profiles-too-many`
 */
export async function addProfile(hub: Hub, actor: string, given: Profile): Promise<KnownProfile> {
  const profile = parseOwnProfile(given)
  return hub.store.write(async (tx) => {
    if ((await tx.profiles.find(profile.name)) !== null) {
      throw new HubError('profile-exists', `there is a profile ${quote(profile.name)} already`)
    }
    await assertChainIssues(tx, profile.chain)
    const count = (await tx.profiles.all()).length
    if (count >= limits.profilesMax) {
      throw new HubError('profiles-too-many', `there are ${count} profiles of your own already`)
    }
    const nowMs = hub.clock.nowMs()
    const row = { ...rowOf(profile), version: 1, createdAtMs: nowMs, updatedAtMs: nowMs }
    await tx.profiles.insert(row)
    await note(tx, { actor, atMs: nowMs, act: 'profile.add', name: profile.name, before: null, after: profile })
    return { profile, row }
  })
}

/**
 * Changes a profile for every certificate that is made from now on; those that were made keep what they say. A change that
 * changes nothing leaves no trace.
 *
 * @param change what it becomes from what it is
 * @param allowed the versions that the change may be made to; null for any
 * @throws HubError `profile-not-found`, `profile-built-in`, `precondition-failed`, `profile-invalid`, also for another name or
 *   another `mayConnect`, on which certificates that are out there rest
 */
export async function changeProfile(
  hub: Hub,
  actor: string,
  name: string,
  change: (before: Profile) => Profile,
  allowed: ReadonlySet<number> | null,
): Promise<KnownProfile> {
  return hub.store.write(async (tx) => {
    const { profile: before, row } = await ownProfile(tx, name)
    if (allowed !== null && !allowed.has(row.version)) {
      throw new HubError(
        'precondition-failed',
        `${quote(name)} is at version ${row.version}, and the change was made from another`,
      )
    }
    const after = parseOwnProfile(change(before))
    assertSameFooting(before, after)
    if (after.chain !== before.chain) await assertChainIssues(tx, after.chain)
    if (isDeepStrictEqual(after, before)) return { profile: before, row }
    const updatedAtMs = hub.clock.nowMs()
    const changed = { ...row, ...rowOf(after), version: row.version + 1, updatedAtMs }
    await tx.profiles.update(changed)
    await note(tx, { actor, atMs: updatedAtMs, act: 'profile.change', name, before, after })
    return { profile: after, row: changed }
  })
}

/** A profile that nobody could sign for would be noticed by the first device that asks. @throws HubError `profile-invalid` */
async function assertChainIssues(tx: Transaction, chain: string): Promise<void> {
  const issuing = (await tx.authorities.all()).filter(({ role, state }) => role === 'issuing' && state === 'active')
  if (issuing.some((each) => each.chain === chain)) return
  throw new HubError('profile-invalid', `there is no chain ${quote(chain)} that issues`, {
    hint: 'see the chains with `handfast ca list`, or make one with `handfast ca create`',
  })
}

/**
 * Removes a profile that nobody is granted and no living certificate was made from.
 *
 * @returns what it was
 * @throws HubError `profile-not-found`, `profile-built-in`, `profile-in-use`
 */
export async function removeProfile(hub: Hub, actor: string, name: string): Promise<KnownProfile> {
  return hub.store.write(async (tx) => {
    const { profile, row } = await ownProfile(tx, name)
    if (await tx.profiles.isGranted(name)) {
      throw new HubError('profile-in-use', `the profile ${quote(name)} is granted to identities`)
    }
    if (await tx.profiles.hasLiving(name, nowSec(hub.clock))) {
      throw new HubError('profile-in-use', `certificates of the profile ${quote(name)} are still good`, {
        hint: 'wait until they have ended, or revoke them',
      })
    }
    await tx.profiles.remove(name)
    const atMs = hub.clock.nowMs()
    await note(tx, { actor, atMs, act: 'profile.remove', name, before: profile, after: null })
    return { profile, row }
  })
}

async function ownProfile(
  tx: Transaction,
  name: string,
): Promise<{ readonly profile: Profile; readonly row: ProfileRow }> {
  if (builtInProfile(name) !== null) throw new HubError('profile-built-in', `the profile ${quote(name)} is built in`)
  const { profile, row } = await knownProfile(tx, name)
  if (row === null) throw new HubError('profile-not-found', `there is no profile ${quote(name)}`)
  return { profile, row }
}

/** What certificates that are out there rest on stays. */
function assertSameFooting(before: Profile, after: Profile): void {
  if (after.name !== before.name) {
    throw new HubError('profile-invalid', `${quote(before.name)} cannot become ${quote(after.name)}`, {
      hint: 'add a profile of the other name',
    })
  }
  if (after.mayConnect !== before.mayConnect) {
    throw new HubError(
      'profile-invalid',
      `"mayConnect" of ${quote(before.name)} stays as it is: certificates rest on it`,
      {
        hint: 'add another profile and grant it in place of this one',
      },
    )
  }
}

function rowOf(profile: Profile): Pick<ProfileRow, 'name' | 'definition'> {
  return { name: profile.name, definition: JSON.stringify(profile) }
}

async function note(
  tx: Transaction,
  entry: {
    readonly actor: string
    readonly atMs: number
    readonly act: string
    readonly name: string
    readonly before: Profile | null
    readonly after: Profile | null
  },
): Promise<void> {
  const { actor, atMs, act, name, before, after } = entry
  const definition = after === null ? null : JSON.stringify(after)
  await tx.events.append({ type: 'profile-changed', name, definition })
  await tx.audit.append({ atMs, actor, act, subject: name, before, after })
}
