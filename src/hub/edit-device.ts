/** Editing what operators keep about an identity. */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId, IdentityKind } from '../core/identity/id.ts'
import { type Identity, parseAttributes, parseGroup } from '../core/identity/identity.ts'
import { assertGrantable, type GrantsGiven, grantsWith, sameGrants, saysNothing } from './grants.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { findIdentity } from './register-device.ts'
import { assertNotHub } from './register-identity.ts'

/** A JSON merge patch (RFC 7396): what is absent stays, what is null goes. */
export interface DeviceEdit extends GrantsGiven {
  readonly group?: string | null | undefined
  readonly attributes?: Readonly<Record<string, string | null>> | null | undefined
  readonly keyStorage?: Identity['keyStorage'] | undefined
}

interface Hub {
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
}

/**
 * Edits group, attributes, key storage and grants of a device. An edit that changes nothing leaves no trace.
 *
 * @param allowed the versions that it may be made to; null for any
 * @returns the device as it is now
 * @throws HubError `identity-not-found`, `precondition-failed` where it has another version, `identity-retired`,
 *   `request-invalid`, `name-invalid`, `profile-not-found`, `profile-not-granted`
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
  edit: DeviceEdit,
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
    const group = edit.group === undefined ? before.group : edit.group === null ? null : parseGroup(edit.group)
    const attributes = parseAttributes(merged(before.attributes, edit.attributes))
    const grants = grantsWith(before, edit)
    const keyStorage = edit.keyStorage === undefined ? before.keyStorage : edit.keyStorage
    const isSame = group === before.group && keyStorage === before.keyStorage && sameGrants(grants, before)
    if (isSame && sameAttributes(attributes, before.attributes)) return before
    const atMs = hub.clock.nowMs()
    const changed = { group, attributes, keyStorage, updatedAtMs: atMs, version: before.version + 1 }
    const after: Identity = { ...before, ...grants, ...changed }
    await assertGrantable(tx, after, before)
    await tx.identities.update(after)
    await tx.events.append({ type: 'identity-changed', identityId: id })
    await tx.audit.append({
      atMs,
      actor,
      act: 'identity.change',
      subject: id,
      before: keptAbout(before, edit),
      after: keptAbout(after, edit),
    })
    return after
  })
}

/** What the audit log says of it: grants and key storage only where they were edited. */
function keptAbout({ group, attributes, profiles, names, keyStorage }: Identity, edit: DeviceEdit): object {
  return {
    ...{ group, attributes },
    ...(edit.keyStorage === undefined ? {} : { keyStorage }),
    ...(saysNothing(edit) ? {} : { profiles, names }),
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
