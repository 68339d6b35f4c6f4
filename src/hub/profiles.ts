/** Profiles by name: those that every hub has, and those of the registry. */
import { HubError, quote } from '../core/errors.ts'
import type { Identity } from '../core/identity/identity.ts'
import { builtInProfile } from '../core/profile/built-in.ts'
import { profileFromDefinition } from '../core/profile/own-profile.ts'
import type { Profile } from '../core/profile/profile.ts'
import type { ProfileReader, ProfileRow } from './ports/grants.ts'

/** Where profiles are looked up: the registry, or a transaction of it. */
export interface ProfileSource {
  readonly profiles: Pick<ProfileReader, 'find'>
}

/**
 * The profile of that name as it is now, or null when there is none. One of an operator's own is read from the registry each
 * time, so that what another process has changed holds at once.
 */
export async function profileNamed(store: ProfileSource, name: string): Promise<Profile | null> {
  const builtIn = builtInProfile(name)
  if (builtIn !== null) return builtIn
  const row = await store.profiles.find(name)
  return row === null ? null : profileOfRow(row)
}

/**
 * The profile of that name, where the identity has been granted it. Nothing else leads to a profile: no label, flag or
 * certificate request.
 *
 * @throws HubError `profile-not-granted`, `profile-not-found`
 */
export async function grantedProfile(
  store: ProfileSource,
  identity: Pick<Identity, 'id' | 'kind' | 'profiles'>,
  name: string,
): Promise<Profile> {
  if (!identity.profiles.includes(name)) {
    throw new HubError('profile-not-granted', `${quote(identity.id)} has not been granted the profile ${quote(name)}`)
  }
  const profile = await profileNamed(store, name)
  if (profile === null) throw new HubError('profile-not-found', `there is no profile ${quote(name)}`)
  if (!profile.kinds.includes(identity.kind)) {
    throw new HubError('profile-not-granted', `the profile ${quote(name)} is not for a ${identity.kind}`, {
      hint: 'see `handfast profile list` for those that are',
    })
  }
  return profile
}

/** Definitions that have been read, by their text: most hubs have a handful. */
const parsed = new Map<string, Profile>()
const parsedMax = 200

/** The profile of a row. */
export function profileOfRow({ definition }: ProfileRow): Profile {
  const before = parsed.get(definition)
  if (before !== undefined) return before
  const profile = profileFromDefinition(definition)
  if (parsed.size >= parsedMax) parsed.clear()
  parsed.set(definition, profile)
  return profile
}
