/** Grants: which profiles an identity's certificates may be made from, and which names they may have. */
import { isDeepStrictEqual } from 'node:util'
import { HubError } from '../core/errors.ts'
import { type Identity, type IdentityNames, noNames, profilesOfKind } from '../core/identity/identity.ts'
import { parseIdentityNames } from '../core/identity/names.ts'
import { limits } from '../core/limits.ts'
import { grantedProfile, type ProfileSource } from './profiles.ts'

export type Grants = Pick<Identity, 'profiles' | 'names'>

/** What somebody says of the grants of an identity; what is absent stays as it is. */
export interface GrantsGiven {
  readonly profiles?: readonly string[] | undefined
  readonly dnsNames?: readonly string[] | undefined
  readonly ipAddresses?: readonly string[] | undefined
  readonly emails?: readonly string[] | undefined
}

/** True where nothing is said of them: who may do more is asked only otherwise. */
export function saysNothing({ profiles, dnsNames, ipAddresses, emails }: GrantsGiven): boolean {
  return [profiles, dnsNames, ipAddresses, emails].every((given) => given === undefined)
}

/**
 * The grants of an identity with what is given in place of what was.
 *
 * @throws HubError `name-invalid`, `request-invalid` for too many profiles
 */
export function grantsWith(before: Grants, given: GrantsGiven): Grants {
  const { profiles, dnsNames, ipAddresses, emails } = given
  const names: IdentityNames = parseIdentityNames({
    dnsNames: dnsNames ?? before.names.dnsNames,
    ipAddresses: ipAddresses ?? before.names.ipAddresses,
    emails: emails ?? before.names.emails,
  })
  const granted = profiles === undefined ? before.profiles : [...new Set(profiles)]
  if (granted.length > limits.identityProfilesMax) {
    throw new HubError('request-invalid', `${granted.length} profiles are more than ${limits.identityProfilesMax}`)
  }
  return { profiles: granted, names }
}

/**
 * Refuses grants of profiles that there are not, or that are not for such an identity. One that is gone may stay until it is
 * taken away.
 *
 * @param before what it was granted until now, if it was there
 * @throws HubError `profile-not-found`, `profile-not-granted`
 */
export async function assertGrantable(
  registry: ProfileSource,
  identity: Pick<Identity, 'id' | 'kind' | 'profiles'>,
  before?: Pick<Identity, 'profiles'>,
): Promise<void> {
  for (const name of identity.profiles) {
    if (before?.profiles.includes(name) !== true) await grantedProfile(registry, identity, name)
  }
}

/** The profile of a token for which nobody names one. */
export function usualProfile({ profiles, kind }: Pick<Identity, 'profiles' | 'kind'>): string {
  const [usual] = profilesOfKind[kind]
  return profiles.find((name) => name === usual) ?? profiles[0] ?? usual ?? kind
}

export function sameGrants(a: Grants, b: Grants): boolean {
  return isDeepStrictEqual([a.profiles, a.names], [b.profiles, b.names])
}

/** Grants as they stand in the audit log: those that every identity of its kind has go without saying. */
export function unusualGrants(identity: Grants & Pick<Identity, 'kind'>): Partial<Grants> {
  const { profiles, names, kind } = identity
  return sameGrants({ profiles, names }, { profiles: profilesOfKind[kind], names: noNames }) ? {} : { profiles, names }
}
