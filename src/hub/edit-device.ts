/** Editing what operators keep about a device. */
import { HubError, quote } from '../core/errors.ts'
import type { IdentityId } from '../core/identity/id.ts'
import { type Identity, parseAttributes, parseGroup } from '../core/identity/identity.ts'
import type { Clock } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { findDevice } from './register-device.ts'

/** A JSON merge patch (RFC 7396): what is absent stays, what is null goes. */
export interface DeviceEdit {
  readonly group?: string | null | undefined
  readonly attributes?: Readonly<Record<string, string | null>> | null | undefined
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
  hub: { readonly store: Pick<Store, 'write'>; readonly clock: Clock },
  actor: string,
  id: IdentityId,
  edit: DeviceEdit,
  allowed: ReadonlySet<number> | null,
): Promise<Identity> {
  return hub.store.write(async (tx) => {
    const before = await findDevice(tx, id)
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
    if (group === before.group && sameAttributes(attributes, before.attributes)) return before
    const atMs = hub.clock.nowMs()
    const after: Identity = { ...before, group, attributes, updatedAtMs: atMs, version: before.version + 1 }
    await tx.identities.update(after)
    await tx.events.append({ type: 'identity-changed', identityId: id })
    await tx.audit.append({
      atMs,
      actor,
      act: 'identity.change',
      subject: id,
      before: { group: before.group, attributes: before.attributes },
      after: { group, attributes },
    })
    return after
  })
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
