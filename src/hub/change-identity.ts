/** Taking access away and giving it back: disable, enable, retire, revoke. */
import { HubError, quote } from '../core/errors.ts'
import {
  type Credential,
  credentialRevoked,
  type RevocationReason,
  type SerialNumber,
} from '../core/identity/credential.ts'
import type { IdentityId, IdentityKind } from '../core/identity/id.ts'
import { type Identity, type IdentityState, identityMovedTo } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import { endOpenTokens } from './end-tokens.ts'
import { endPasswordsOf } from './passwords/change.ts'
import { unpinAllOf } from './pin-certificates.ts'
import type { Clock } from './ports/clock.ts'
import type { Store, Transaction } from './ports/store.ts'
import { findIdentity } from './register-device.ts'
import { assertNotHub } from './register-identity.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

/** An identity as a path of the API names it. */
interface NamedIdentity {
  readonly kind: IdentityKind
  readonly id: IdentityId
}

/** What an act has changed. */
export interface IdentityChange {
  readonly identity: Identity
  /** Credentials that this act revoked. */
  readonly revoked: readonly Credential[]
  /** Open tokens that this act ended. */
  readonly tokensEnded: number
}

/**
 * Moves a device to another state. Retiring also revokes its credentials and ends its tokens and pins, because it is final;
 * disabling leaves both, because it may come back.
 *
 * @throws HubError `identity-not-found`, `transition-illegal`
 */
export function changeDeviceState(
  hub: Hub,
  actor: string,
  id: IdentityId,
  state: Exclude<IdentityState, 'pending'>,
): Promise<IdentityChange> {
  return changeIdentityState(hub, actor, { kind: 'device', id }, state)
}

/** The same for an identity of any kind. @throws HubError `identity-of-hub` beside */
export async function changeIdentityState(
  hub: Hub,
  actor: string,
  { kind, id }: NamedIdentity,
  state: Exclude<IdentityState, 'pending'>,
): Promise<IdentityChange> {
  return hub.store.write(async (tx) => {
    const change = new Change(tx, hub.clock.nowMs(), actor)
    assertNotHub(id)
    const identity = await change.moveIdentity(await findIdentity(tx, kind, id), state)
    if (state !== 'retired') return { identity, revoked: [], tokensEnded: 0 }
    const revoked = await change.revokeAllOf(id, 'cessationOfOperation')
    await change.endPasswordsOf(id)
    await change.unpinAllOf(id)
    return { identity, revoked, tokensEnded: await change.endTokensOf(id) }
  })
}

/**
 * Revokes a device: its credentials are revoked, its tokens ended and the identity disabled, in one transaction. A device
 * that is disabled or retired already keeps that state.
 *
 * @throws HubError `identity-not-found`
 */
export function revokeDevice(
  hub: Hub,
  actor: string,
  id: IdentityId,
  reason: RevocationReason,
): Promise<IdentityChange> {
  return revokeIdentity(hub, actor, { kind: 'device', id }, reason)
}

/** The same for an identity of any kind. @throws HubError `identity-of-hub` beside */
export async function revokeIdentity(
  hub: Hub,
  actor: string,
  { kind, id }: NamedIdentity,
  reason: RevocationReason,
): Promise<IdentityChange> {
  return hub.store.write(async (tx) => {
    const change = new Change(tx, hub.clock.nowMs(), actor)
    assertNotHub(id)
    const found = await findIdentity(tx, kind, id)
    const revoked = await change.revokeAllOf(id, reason)
    const tokensEnded = await change.endTokensOf(id)
    await change.endPasswordsOf(id)
    await change.unpinAllOf(id)
    const identity = found.state === 'retired' ? found : await change.moveIdentity(found, 'disabled')
    return { identity, revoked, tokensEnded }
  })
}

/** Reasons that are about the holder and not about one certificate: whoever renewed meanwhile did it without the right to. */
const spreading: ReadonlySet<RevocationReason> = new Set(['keyCompromise', 'privilegeWithdrawn'])

/**
 * Revokes one certificate and leaves its identity as it is. For `keyCompromise` and `privilegeWithdrawn` every certificate
 * that was renewed from it goes with it, over any number of renewals; a compromised key takes every certificate of the
 * identity that was made for it, and what descends from those. Other reasons do not spread. What a token brought since is a
 * lineage of its own and stays. A certificate of the hub's own listeners is replaced by itself.
 *
 * @throws HubError `credential-not-found`
 */
export async function revokeCertificate(
  hub: Hub,
  actor: string,
  serialNumber: SerialNumber,
  reason: RevocationReason,
): Promise<IdentityChange> {
  return hub.store.write(async (tx) => {
    const credential = await tx.credentials.findBySerial(serialNumber)
    const identity = credential === null ? null : await tx.identities.find(credential.identityId)
    if (credential === null || identity === null) {
      throw new HubError('credential-not-found', `the registry holds no certificate ${quote(serialNumber)}`)
    }
    const change = new Change(tx, hub.clock.nowMs(), actor)
    const named = await change.revoke([credential], reason)
    const descended = spreading.has(reason) ? await change.revokeLineageOf(credential, reason) : []
    return { identity, revoked: [...named, ...descended], tokensEnded: 0 }
  })
}

/** The steps that these acts share, inside one transaction. */
class Change {
  readonly #tx: Transaction
  readonly #nowMs: number
  readonly #actor: string

  constructor(tx: Transaction, nowMs: number, actor: string) {
    this.#tx = tx
    this.#nowMs = nowMs
    this.#actor = actor
  }

  async moveIdentity(identity: Identity, state: IdentityState): Promise<Identity> {
    const moved = identityMovedTo(identity, state, this.#nowMs)
    if (moved === identity) return identity
    await this.#tx.identities.update(moved)
    await this.#tx.events.append({ type: 'identity-state-changed', identityId: identity.id, state })
    await this.#audit('identity.state', identity.id, { state: identity.state }, { state })
    return moved
  }

  async revokeAllOf(id: IdentityId, reason: RevocationReason): Promise<readonly Credential[]> {
    const living = await this.#tx.credentials.ofIdentityIn(id, [
      'intended',
      'pending',
      'active',
      'quarantined',
      'superseded',
      'expired',
      'unadopted',
    ])
    return this.revoke(living, reason)
  }

  /** In one transaction, however many there are, and read in bounded groups. */
  async revokeLineageOf(credential: Credential, reason: RevocationReason): Promise<readonly Credential[]> {
    const { credentials } = this.#tx
    const { identityId, publicKeyHash, serialNumber } = credential
    const ofKey = reason === 'keyCompromise' ? await credentials.ofKey(identityId, publicKeyHash) : []
    const revoked = [...(await this.revoke(ofKey, reason))]
    for (const some of bulks([serialNumber, ...ofKey.map((each) => each.serialNumber)])) {
      for (const fingerprints of bulks(await credentials.lineageOf(some))) {
        revoked.push(...(await this.revoke(await credentials.findAll(fingerprints), reason)))
      }
    }
    return revoked
  }

  /** Revokes what is not revoked yet, and corrects the reason where `credentialRevoked` says so. */
  async revoke(credentials: readonly Credential[], reason: RevocationReason): Promise<readonly Credential[]> {
    const changed: Credential[] = []
    for (const credential of credentials) {
      const revoked = credentialRevoked(credential, reason, this.#nowMs)
      if (revoked === credential) continue
      await this.#tx.credentials.update(revoked)
      await this.#tx.events.append({
        type: 'credential-revoked',
        identityId: revoked.identityId,
        authorityId: revoked.authorityId,
        crlShard: revoked.crlShard,
        fingerprint: revoked.fingerprint,
        serialNumber: revoked.serialNumber,
        reason,
      })
      await this.#audit(
        'credential.revoke',
        revoked.serialNumber,
        { state: credential.state, reason: credential.revocationReason },
        { state: revoked.state, reason, identity: revoked.identityId },
      )
      changed.push(revoked)
    }
    return changed
  }

  endTokensOf(id: IdentityId): Promise<number> {
    return endOpenTokens(this.#tx, { actor: this.#actor, atMs: this.#nowMs }, id)
  }

  endPasswordsOf(id: IdentityId): Promise<number> {
    return endPasswordsOf(this.#tx, { actor: this.#actor, atMs: this.#nowMs }, id)
  }

  unpinAllOf(id: IdentityId): Promise<number> {
    return unpinAllOf(this.#tx, { actor: this.#actor, atMs: this.#nowMs }, id)
  }

  async #audit(act: string, subject: string, before: unknown, after: unknown): Promise<void> {
    await this.#tx.audit.append({ atMs: this.#nowMs, actor: this.#actor, act, subject, before, after })
  }
}

function* bulks<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += limits.bulkRowsMax) {
    yield values.slice(start, start + limits.bulkRowsMax)
  }
}
