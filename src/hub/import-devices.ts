/** Registering many devices: batch by batch, each row taken or refused by itself. */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { Identity, IdentityState } from '../core/identity/identity.ts'
import type { Profile } from '../core/profile/profile.ts'
import type { Secret } from '../core/secret.ts'
import type { Access } from './authorise.ts'
import { sameAttributes } from './edit-device.ts'
import { type Grants, sameGrants, usualProfile } from './grants.ts'
import type { AnswerPlace } from './kept-answers.ts'
import type { Clock } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { IdentityReader, Store } from './ports/store.ts'
import { type ProfileSource, profileNamed } from './profiles.ts'
import { newDevice, newToken, type Registration, register } from './registration.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
}

/** A device as an import wants it. */
export interface ImportedDevice extends Pick<Identity, 'id' | 'group' | 'attributes' | 'keyStorage'> {
  /** Null where nothing is said: what every device has, and whatever one has that is there. */
  readonly grants: Grants | null
  /** Null where nothing is said: a new device is active, and one that is there may be in any state but retired. */
  readonly state: IdentityState | null
}

/** A row of an import: a device, or why it is none. */
export type ImportedRow = {
  /** Counted from 1. */
  readonly row: number
  /** As the row gives it, null where it gives none. */
  readonly id: string | null
} & ({ readonly device: ImportedDevice } | { readonly refusal: HubError })

/** What became of a row. */
export interface RowOutcome {
  readonly row: number
  readonly id: string | null
  readonly result: 'created' | 'unchanged' | 'conflict' | 'invalid'
  /** Why it was not taken; null where it was. */
  readonly refusal: HubError | null
  /** The token's whole text, where one was made. */
  readonly tokenText: Secret | null
}

export interface ImportOptions {
  readonly dryRun: boolean
  /** Seconds that a token for each new device stays good; null for no tokens. */
  readonly tokenLifetimeSec: number | null
  /** What whoever imports may do. */
  readonly access: Access
}

/**
 * Imports some rows as one unit, or says what would become of them. Rows that are done are on disk.
 *
 * @param rows at most `limits.importBatchRows`; no two devices among them have one id
 * @param place where the answer is kept, for who sends the same import again; null where nobody can
 * @param describe what is answered to a row, a JSON value; it is kept as it is
 * @returns what is answered, a line for each row, in order; that of the first time where it is kept
 */
export async function importBatch<Line>(
  hub: Hub,
  actor: string,
  rows: readonly ImportedRow[],
  options: ImportOptions,
  place: AnswerPlace | null,
  describe: (outcome: RowOutcome) => Line,
): Promise<readonly Line[]> {
  if (options.dryRun) return (await judged(hub.store, rows, options.access)).map(({ outcome }) => describe(outcome))
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const known = place === null ? undefined : await place.read(tx.idempotency, nowMs)
    if (known !== undefined) return known as readonly Line[]
    const registrations: Registration[] = []
    const lines = (await judged(tx, rows, options.access)).map(({ device, outcome }) => {
      if (device === null || outcome.result !== 'created') return describe(outcome)
      const { id, group, attributes, keyStorage, state, grants } = device
      const identity = newDevice({ id, group, attributes, keyStorage, state: state ?? 'active', ...grants }, nowMs)
      const granted = tokenFor(hub, identity, options)
      registrations.push({ identity, token: granted?.token ?? null })
      return describe({ ...outcome, tokenText: granted?.text ?? null })
    })
    await register(tx, actor, registrations)
    await place?.write(tx.idempotency, hub.random, nowMs, lines)
    return lines
  })
}

function tokenFor(hub: Hub, identity: Identity, { tokenLifetimeSec }: ImportOptions) {
  if (tokenLifetimeSec === null || identity.state !== 'active' || identity.profiles.length === 0) return null
  return newToken(hub, identity.id, tokenLifetimeSec, { profile: usualProfile(identity) })
}

interface Judged {
  readonly device: ImportedDevice | null
  readonly outcome: RowOutcome
}

async function judged(
  registry: { readonly identities: IdentityReader } & ProfileSource,
  rows: readonly ImportedRow[],
  access: Access,
): Promise<readonly Judged[]> {
  const ids = rows.flatMap((row) => ('device' in row ? [row.device.id] : []))
  const taken = new Map<IdentityId, Identity>((await registry.identities.findAll(ids)).map((each) => [each.id, each]))
  const profiles = await profilesNamed(registry, rows)
  return rows.map((row): Judged => {
    const base = { row: row.row, id: row.id, refusal: null, tokenText: null }
    if ('refusal' in row) return { device: null, outcome: { ...base, ...refused(row.refusal) } }
    const { device } = row
    const notAllowed = accessRefusal(access, device) ?? grantRefusal(profiles, device)
    if (notAllowed !== null) return { device, outcome: { ...base, ...refused(notAllowed) } }
    const present = taken.get(device.id)
    if (present === undefined) return { device, outcome: { ...base, result: 'created' } }
    // That an id is taken is told to everybody, because an id is never used again; what it is taken by is not.
    const refusal = access.reaches(present)
      ? contradiction(present, device)
      : new HubError('identity-exists', 'the id is taken', { hint: 'choose another id' })
    return { device, outcome: refusal === null ? { ...base, result: 'unchanged' } : { ...base, ...refused(refusal) } }
  })
}

/** Why whoever imports may not register this device, or null. */
function accessRefusal(access: Access, { group, state, grants }: ImportedDevice): HubError | null {
  try {
    access.toGroup(group)
    // A device that is born in another state than active has been controlled, too.
    if (state === 'retired') access.alsoFor('device.retire').toGroup(group)
    else if (state !== null && state !== 'active') access.alsoFor('device.control').toGroup(group)
    if (grants !== null) access.alsoFor('profile.grant').toHub()
    return null
  } catch (error) {
    if (error instanceof HubError) return error
    throw error
  }
}

async function profilesNamed(
  registry: ProfileSource,
  rows: readonly ImportedRow[],
): Promise<ReadonlyMap<string, Profile | null>> {
  const names = rows.flatMap((row) => ('device' in row ? (row.device.grants?.profiles ?? []) : []))
  const profiles = new Map<string, Profile | null>()
  for (const name of new Set(names)) profiles.set(name, await profileNamed(registry, name))
  return profiles
}

/** Why a device cannot be granted what its row says, or null. */
function grantRefusal(profiles: ReadonlyMap<string, Profile | null>, { grants }: ImportedDevice): HubError | null {
  for (const name of grants?.profiles ?? []) {
    const profile = profiles.get(name) ?? null
    if (profile === null) return new HubError('profile-not-found', `there is no profile ${quote(name)}`)
    if (!profile.kinds.includes('device')) {
      return new HubError('profile-not-granted', `the profile ${quote(name)} is not for a device`, {
        hint: 'see `handfast profile list` for those that are',
      })
    }
  }
  return null
}

function refused(refusal: HubError): Pick<RowOutcome, 'result' | 'refusal'> {
  return { result: isConflict(refusal) ? 'conflict' : 'invalid', refusal }
}

/** A row that contradicts another or the registry is a device all the same. */
function isConflict({ code }: HubError): boolean {
  return code === 'import-row-repeated' || code === 'identity-exists' || code === 'identity-differs'
}

/** What an import says otherwise than the registry, or null. */
function contradiction(present: Identity, wanted: ImportedDevice): HubError | null {
  const id = quote(present.id)
  if (present.kind !== 'device') return new HubError('identity-exists', `${id} is a ${present.kind} of this hub`)
  if (present.state === 'retired' && wanted.state !== 'retired') {
    return new HubError('identity-exists', `${id} was retired, and an id is never used again`, {
      hint: 'choose another id',
    })
  }
  const differences = [
    ...(wanted.state === null || present.state === wanted.state ? [] : [`is ${present.state}`]),
    ...(present.group === wanted.group
      ? []
      : [present.group === null ? 'is in no group' : `is in group ${quote(present.group)}`]),
    ...(sameAttributes(present.attributes, wanted.attributes) ? [] : ['has other attributes']),
    ...(wanted.keyStorage === null || present.keyStorage === wanted.keyStorage
      ? []
      : [`has its key in ${present.keyStorage ?? 'no known place'}`]),
    ...(wanted.grants === null || sameGrants(present, wanted.grants) ? [] : ['has other profiles or names']),
  ]
  if (differences.length === 0) return null
  return new HubError('identity-differs', `${id} is registered already and ${differences.join(', ')}`)
}
