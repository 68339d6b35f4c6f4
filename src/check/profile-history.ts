/** Which definition of a profile held when: a certificate keeps what its profile said when it was made, whatever it says now. */
import { profileFromDefinition } from '../core/profile/own-profile.ts'
import type { Profile } from '../core/profile/profile.ts'
import type { RegistrySnapshot } from '../hub/ports/snapshot.ts'
import type { EventTable, RowOf } from '../store/schema.ts'
import { rowsAs } from './rows.ts'
import type { CheckContext, CredentialRow } from './rule.ts'

/** A definition, and from when on it held. */
interface ProfileVersion {
  readonly fromMs: number
  readonly profile: Profile
}

/** Versions of the operator's own profiles by name, oldest first; also of those that are removed. */
export type ProfileHistory = ReadonlyMap<string, readonly ProfileVersion[]>

/** Longest time between the look at a profile and the certificate that is made from it. */
const issuanceMs = 60_000

/** Reads the history from the events; definitions that cannot be read are left out. */
export async function profileHistory(snapshot: RegistrySnapshot): Promise<ProfileHistory> {
  const history = new Map<string, ProfileVersion[]>()
  for await (const { at_ms: fromMs, event } of rowsAs<RowOf<EventTable>>(snapshot, 'events')) {
    if (!event.includes('"profile-changed"')) continue
    const version = versionIn(event, fromMs)
    if (version === null) continue
    const versions = history.get(version.profile.name) ?? []
    history.set(version.profile.name, [...versions, version])
  }
  return history
}

/**
 * The profiles that a certificate may have been made from, the one of its time first: definitions change while others are
 * issuing. None where there is no profile of that name and never was.
 */
export function profilesOf(
  { profiles, profileHistory: history }: Pick<CheckContext, 'profiles' | 'profileHistory'>,
  { profile: name, issued_at_ms: atMs }: Pick<CredentialRow, 'profile' | 'issued_at_ms'>,
): readonly Profile[] {
  const begun = (history.get(name) ?? []).filter(({ fromMs }) => fromMs <= atMs)
  const held = begun.filter((_, index) => (begun[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY) >= atMs - issuanceMs)
  if (held.length > 0) return held.map(({ profile }) => profile).reverse()
  const now = profiles.get(name)
  return now === undefined ? [] : [now]
}

function versionIn(event: string, fromMs: number): ProfileVersion | null {
  try {
    const { type, definition }: { readonly type?: unknown; readonly definition?: unknown } = JSON.parse(event)
    if (type !== 'profile-changed' || typeof definition !== 'string') return null
    return { fromMs, profile: profileFromDefinition(definition) }
  } catch {
    return null
  }
}
