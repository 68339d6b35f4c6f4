/** Registering services and people: identities that no token enrols, since operators order their certificates. */
import { HubError, quote } from '../core/errors.ts'
import { type IdentityId, parseIdentityId } from '../core/identity/id.ts'
import {
  type Identity,
  type IdentityNames,
  parseAttributes,
  parseGroup,
  profilesOfKind,
} from '../core/identity/identity.ts'
import { parseIdentityNames } from '../core/identity/names.ts'
import { hubIdentityId } from './hub-credential.ts'
import type { Clock } from './ports/clock.ts'
import type { Store, Transaction } from './ports/store.ts'
import { grantedProfile } from './profiles.ts'

export interface NewIdentity {
  readonly kind: Identity['kind']
  readonly id: string
  readonly group: string | null
  readonly attributes: Readonly<Record<string, string>>
  readonly names: IdentityNames
  /** Null for those of its kind. */
  readonly profiles: readonly string[] | null
  readonly keyStorage?: Identity['keyStorage']
}

/**
 * @param actor who asks, for the audit log
 * @throws HubError `identity-id-invalid`, `identity-exists`, `identity-of-hub`, `name-invalid`, `profile-not-found`,
 *   `profile-not-granted`, `request-invalid`
 */
export async function registerIdentity(
  hub: { readonly store: Pick<Store, 'write'>; readonly clock: Clock },
  actor: string,
  request: NewIdentity,
): Promise<Identity> {
  const nowMs = hub.clock.nowMs()
  const identity: Identity = {
    id: parseIdentityId(request.id),
    kind: request.kind,
    state: 'active',
    group: request.group === null ? null : parseGroup(request.group),
    attributes: parseAttributes(request.attributes),
    profiles: request.profiles ?? profilesOfKind[request.kind],
    names: parseIdentityNames(request.names),
    keyStorage: request.keyStorage ?? null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    version: 1,
  }
  assertNotHub(identity.id)
  return hub.store.write(async (tx) => {
    for (const profile of identity.profiles) await grantedProfile(tx, identity, profile)
    await assertFree(tx, identity)
    const { id, kind, group, attributes, profiles, names, keyStorage } = identity
    await tx.identities.insert(identity)
    await tx.events.append({ type: 'identity-registered', identityId: id })
    await tx.audit.append({
      atMs: nowMs,
      actor,
      act: 'identity.register',
      subject: id,
      before: null,
      after: { kind, group, attributes, profiles, names, ...(keyStorage === null ? {} : { keyStorage }) },
    })
    return identity
  })
}

/** @throws HubError `identity-of-hub` */
export function assertNotHub(id: IdentityId): void {
  if (id === hubIdentityId) throw new HubError('identity-of-hub', `${quote(id)} is the hub itself`)
}

async function assertFree(tx: Pick<Transaction, 'identities'>, { id }: Identity): Promise<void> {
  const taken = await tx.identities.find(id)
  if (taken === null) return
  if (taken.state === 'retired') {
    throw new HubError('identity-exists', `${quote(id)} was retired, and an id is never used again`, {
      hint: 'choose another id',
    })
  }
  throw new HubError('identity-exists', `${quote(id)} is registered already, as a ${taken.kind}`)
}
