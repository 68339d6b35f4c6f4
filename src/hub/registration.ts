/** What is written when devices are registered: rows, events and audit entries, for one and for many. */
import type { IdentityId } from '../core/identity/id.ts'
import { type Identity, noNames, profilesOfKind } from '../core/identity/identity.ts'
import type { Token } from '../core/identity/token.ts'
import type { Secret } from '../core/secret.ts'
import { type Grants, unusualGrants } from './grants.ts'
import type { NewAuditEntry } from './ports/audit.ts'
import type { Clock } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { Transaction } from './ports/store.ts'
import { newSecret } from './secret-text.ts'

/** A device that is not in the registry yet, and its first token where it gets one. */
export interface Registration {
  readonly identity: Identity
  readonly token: Token | null
}

/** A device as it is registered now, with the profiles of its kind and without names where nothing is said of them. */
export function newDevice(
  device: Pick<Identity, 'id' | 'state' | 'group' | 'attributes'> & Partial<Grants & Pick<Identity, 'keyStorage'>>,
  nowMs: number,
): Identity {
  return {
    profiles: profilesOfKind.device,
    names: noNames,
    keyStorage: null,
    ...device,
    kind: 'device',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    version: 1,
  }
}

/** What a token is good for. */
export interface TokenTerms {
  /** Of the certificate; it must be granted to the identity. */
  readonly profile?: string | undefined
  /** Whether an operator approves the key that comes with it. */
  readonly needsApproval?: boolean | undefined
}

/** An open token for a device, and its whole text, which cannot be had again. */
export function newToken(
  hub: { readonly clock: Clock; readonly random: Random },
  identityId: IdentityId,
  lifetimeSec: number,
  { profile = 'device', needsApproval = false }: TokenTerms = {},
): { readonly token: Token; readonly text: Secret } {
  const secret = newSecret(hub.random)
  const createdAtMs = hub.clock.nowMs()
  const token: Token = {
    id: secret.id,
    secretHash: secret.secretHash,
    identityId,
    profile,
    needsApproval,
    state: 'open',
    createdAtMs,
    expiresAtMs: createdAtMs + lifetimeSec * 1000,
    usedAtMs: null,
  }
  return { token, text: secret.text }
}

/**
 * Writes all of them or none.
 *
 * @param registrations at most half of `limits.bulkRowsMax`, since each may be two entries of the audit log
 * @throws HubError `identity-exists`
 */
export async function register(tx: Transaction, actor: string, registrations: readonly Registration[]): Promise<void> {
  const tokens = registrations.flatMap(({ token }) => (token === null ? [] : [token]))
  await tx.identities.insertAll(registrations.map(({ identity }) => identity))
  await tx.tokens.insertAll(tokens)
  await tx.events.appendAll(
    registrations.map(({ identity }) => ({ type: 'identity-registered', identityId: identity.id })),
  )
  await tx.audit.appendAll(
    registrations.flatMap(({ identity, token }) => [
      registeredEntry(actor, identity),
      ...(token === null ? [] : [tokenCreatedEntry(actor, token)]),
    ]),
  )
}

function registeredEntry(actor: string, identity: Identity): NewAuditEntry {
  const { id, state, group, attributes, keyStorage, createdAtMs } = identity
  return {
    atMs: createdAtMs,
    actor,
    act: 'identity.register',
    subject: id,
    before: null,
    // Active goes without saying.
    after: {
      ...(state === 'active' ? {} : { state }),
      ...{ group, attributes },
      ...(keyStorage === null ? {} : { keyStorage }),
      ...unusualGrants(identity),
    },
  }
}

/** The entry of the audit log about a new token. */
export function tokenCreatedEntry(actor: string, token: Token): NewAuditEntry {
  return {
    atMs: token.createdAtMs,
    actor,
    act: 'token.create',
    subject: token.identityId,
    before: null,
    after: {
      token: token.id,
      profile: token.profile,
      expiresAt: new Date(token.expiresAtMs).toISOString(),
      ...(token.needsApproval ? { needsApproval: true } : {}),
    },
  }
}
