/** Editing what operators keep about an identity. */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId, IdentityKind } from '../core/identity/id.ts'
import { type Identity, type IdentityNames, parseAttributes, parseGroup } from '../core/identity/identity.ts'
import { parseIdentityNames } from '../core/identity/names.ts'
import type { Clock } from './ports/clock.ts'
import type { Store, Transaction } from './ports/store.ts'
import { grantedProfile } from './profiles.ts'
import { findIdentity } from './register-device.ts'
import { assertNotHub } from './register-identity.ts'

/** A JSON merge patch (RFC 7396): what is absent stays, what is null goes. */
export interface DeviceEdit {
  readonly group?: string | null | undefined
  readonly attributes?: Readonly<Record<string, string | null>> | null | undefined
}

/** The same with what certificates may say; a list takes the place of the one before. */
export interface IdentityEdit extends DeviceEdit {
  readonly names?: Readonly<{ [Kind in keyof IdentityNames]?: readonly string[] | undefined }>
  readonly profiles?: readonly string[] | undefined
}

interface Hub {
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
}

/**
 * Edits group and attributes of a device. An edit that changes nothing leaves no trace.
 *
 * @param allowed the versions that it may be made to; null for any
 * @returns the device as it is now
 * @throws HubError `identity-not-found`, `precondition-failed` where it has another version, `identity-retired`,
 *   `request-invalid`
 */
export function editDevice(
  hub: Hub,
  actor: string,
  id: IdentityId,
  edit: DeviceEdit,
  allowed: ReadonlySet<number> | null,
): Promise<Identity> {
  return editIdentity(hub, actor, { kind: 'device', id }, edit, allowed)
}

/**
 * The same for an identity of any kind, its names and its profiles too. Certificates that were issued keep what they say.
 *
 * @throws HubError `identity-of-hub`, `name-invalid`, `profile-not-found`, `profile-not-granted` beside
 */
export function editIdentity(
  hub: Hub,
  actor: string,
  { kind, id }: { readonly kind: IdentityKind; readonly id: IdentityId },
  edit: IdentityEdit,
  allowed: ReadonlySet<number> | null,
): Promise<Identity> {
  assertNotHub(id)
  return hub.store.write(async (tx) => {
    const before = await findIdentity(tx, kind, id)
    if (allowed !== null && !allowed.has(before.version)) {
      throw new HubError(
        'precondition-failed',
        `${quote(id)} is at version ${before.version}, and the edit was made from another`,
      )
    }
    if (before.state === 'retired')
      throw new HubError('identity-retired', `${quote(id)} is retired and cannot be edited`)
    const kept = keptOf(before)
    const edited = { ...kept, ...editedFrom(before, edit) }
    if (isSame(kept, edited)) return before
    const atMs = hub.clock.nowMs()
    const after: Identity = { ...before, ...edited, updatedAtMs: atMs, version: before.version + 1 }
    await assertGranted(tx, before, after)
    await tx.identities.update(after)
    await tx.events.append({ type: 'identity-changed', identityId: id })
    const [was, is] = [shownOf(kept, edit), shownOf(edited, edit)]
    await tx.audit.append({ atMs, actor, act: 'identity.change', subject: id, before: was, after: is })
    return after
  })
}

type Kept = Pick<Identity, 'group' | 'attributes' | 'names' | 'profiles'>

function keptOf({ group, attributes, names, profiles }: Identity): Kept {
  return { group, attributes, names, profiles }
}

function editedFrom(before: Identity, edit: IdentityEdit): Kept {
  const { names = {}, profiles } = edit
  return {
    group: edit.group === undefined ? before.group : edit.group === null ? null : parseGroup(edit.group),
    attributes: parseAttributes(merged(before.attributes, edit.attributes)),
    names: parseIdentityNames({
      dnsNames: names.dnsNames ?? before.names.dnsNames,
      ipAddresses: names.ipAddresses ?? before.names.ipAddresses,
      emails: names.emails ?? before.names.emails,
    }),
    profiles: profiles === undefined ? before.profiles : [...new Set(profiles)],
  }
}

function isSame(a: Kept, b: Kept): boolean {
  const lists = ({ names, profiles }: Kept): string => JSON.stringify([names, profiles])
  return a.group === b.group && sameAttributes(a.attributes, b.attributes) && lists(a) === lists(b)
}

/** What the audit log says: names and profiles only where somebody asked for others. */
function shownOf({ group, attributes, names, profiles }: Kept, edit: IdentityEdit): object {
  return {
    ...{ group, attributes },
    ...(edit.names === undefined ? {} : { names }),
    ...(edit.profiles === undefined ? {} : { profiles }),
  }
}

/** A profile that comes must be there and be for this kind; one that is gone may stay until it is taken away. */
async function assertGranted(tx: Pick<Transaction, 'profiles'>, before: Identity, after: Identity): Promise<void> {
  for (const profile of after.profiles) {
    if (!before.profiles.includes(profile)) await grantedProfile(tx, after, profile)
  }
}

function merged(
  attributes: Readonly<Record<string, string>>,
  patch: DeviceEdit['attributes'],
): Readonly<Record<string, string>> {
  if (patch === undefined) return attributes
  if (patch === null) return {}
  const entries = new Map(Object.entries(attributes))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) entries.delete(name)
    else entries.set(name, value)
  }
  return Object.fromEntries(entries)
}

/** Whether two sets of attributes say the same, in whatever order. */
export function sameAttributes(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
}
