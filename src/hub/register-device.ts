/** Registering devices and giving them tokens to enrol with. */
import { HubError, quote } from '../core/errors.ts'
import { type IdentityId, type IdentityKind, parseIdentityId } from '../core/identity/id.ts'
import {
  type Identity,
  identityRefusal,
  noNames,
  parseAttributes,
  parseGroup,
  profilesOfKind,
} from '../core/identity/identity.ts'
import type { Token } from '../core/identity/token.ts'
import type { Secret } from '../core/secret.ts'
import { endOpenTokens } from './end-tokens.ts'
import { assertGrantable, type GrantsGiven, grantsWith, usualProfile } from './grants.ts'
import type { Clock } from './ports/clock.ts'
import type { Random } from './ports/random.ts'
import type { Store, Transaction } from './ports/store.ts'
import { grantedProfile } from './profiles.ts'
import { newDevice, newToken, register, type TokenTerms, tokenCreatedEntry } from './registration.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
}

/** An identity with a token that was just made for it. */
export interface TokenGrant {
  readonly identity: Identity
  readonly token: Token
  /** The token's whole text; it cannot be had again. */
  readonly tokenText: Secret
}

/**
 * Registers a device and makes its first token, as one act.
 *
 * @param actor who asks, for the audit log
 * @throws HubError `identity-id-invalid`, `identity-exists`, `request-invalid`, `name-invalid`, `profile-not-found`,
 *   `profile-not-granted`
 */
export async function registerDevice(
  hub: Hub,
  actor: string,
  request: {
    readonly id: string
    readonly group: string | null
    readonly attributes: Readonly<Record<string, string>>
    /** The profile of the token; the usual one of the device where it is left out. */
    readonly tokenProfile?: string | undefined
    readonly tokenLifetimeSec: number
    /** Whether an operator approves the key of the device before it gets its certificate. */
    readonly needsApproval?: boolean
    readonly keyStorage?: Identity['keyStorage']
  } & GrantsGiven,
): Promise<TokenGrant> {
  const identity = newDevice(
    {
      id: parseIdentityId(request.id),
      state: 'active',
      group: request.group === null ? null : parseGroup(request.group),
      attributes: parseAttributes(request.attributes),
      keyStorage: request.keyStorage ?? null,
      ...grantsWith({ profiles: profilesOfKind.device, names: noNames }, request),
    },
    hub.clock.nowMs(),
  )
  const profile = request.tokenProfile ?? usualProfile(identity)
  const terms = { profile, needsApproval: request.needsApproval }
  const { token, text } = newToken(hub, identity.id, request.tokenLifetimeSec, terms)
  return hub.store.write(async (tx) => {
    await assertGrantable(tx, identity)
    await grantedProfile(tx, identity, profile)
    if ((await tx.identities.find(identity.id))?.state === 'retired') {
      throw new HubError('identity-exists', `${quote(identity.id)} was retired, and an id is never used again`, {
        hint: 'choose another id',
      })
    }
    await register(tx, actor, [{ identity, token }])
    return { identity, token, tokenText: text }
  })
}

/**
 * Makes another token for a device, as after a lost key or a reset, or one for a service that is to enrol by itself; open ones
 * from before end.
 *
 * @param profile what it shall be for; the usual one of the device where it is left out
 * @throws HubError `identity-not-found`, `profile-not-granted`, `profile-not-found`, or the refusal of its state
 */
export async function grantToken(
  hub: Hub,
  actor: string,
  id: IdentityId,
  tokenLifetimeSec: number,
  { profile, needsApproval }: TokenTerms = {},
  kind: IdentityKind = 'device',
): Promise<TokenGrant> {
  return hub.store.write(async (tx) => {
    const identity = await findIdentity(tx, kind, id)
    const refusal = identityRefusal(identity.state)
    if (refusal !== null && refusal !== 'identity-pending') {
      throw new HubError(refusal, `${quote(id)} is ${identity.state} and cannot get a token`)
    }
    const granted = await grantedProfile(tx, identity, profile ?? usualProfile(identity))
    const { token, text } = newToken(hub, id, tokenLifetimeSec, { profile: granted.name, needsApproval })
    // Whoever asks for another string has lost the first one, or no longer knows who has it.
    await endOpenTokens(tx, { actor, atMs: token.createdAtMs }, id)
    await tx.tokens.insert(token)
    await tx.audit.append(tokenCreatedEntry(actor, token))
    return { identity, token, tokenText: text }
  })
}

/** @throws HubError `identity-not-found` */
export function findDevice(store: Pick<Transaction, 'identities'> | Store, id: IdentityId): Promise<Identity> {
  return findIdentity(store, 'device', id)
}

/** @throws HubError `identity-not-found`, also where the id is that of another kind */
export async function findIdentity(
  store: Pick<Transaction, 'identities'> | Store,
  kind: IdentityKind,
  id: IdentityId,
): Promise<Identity> {
  const identity = await store.identities.find(id)
  if (identity !== null && identity.kind === kind) return identity
  throw new HubError('identity-not-found', `there is no ${kind} ${quote(id)}`, {
    hint: `see \`handfast ${kind} list\` for the ids that exist`,
  })
}
