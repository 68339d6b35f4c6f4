/** Out of quarantine: an operator's word that the holder of a certificate is who it should be. */
import { HubError, quote } from '../core/errors.ts'
import { type Credential, credentialMovedTo, type SerialNumber } from '../core/identity/credential.ts'
import type { IdentityId } from '../core/identity/id.ts'
import type { Identity } from '../core/identity/identity.ts'
import { abilitiesOf } from '../core/renewal/abilities.ts'
import { idsOf, revokeSuperseded, supersedeBefore } from './first-use.ts'
import type { Clock } from './ports/clock.ts'
import type { Store, Transaction } from './ports/store.ts'
import { profileNamed } from './profiles.ts'
import { findDevice } from './register-device.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
}

/** What a release has changed. */
export interface Released {
  readonly identity: Identity
  /** As it is now: active where it was used already, and pending where it waits for its first use. */
  readonly credential: Credential
  /** Serial numbers of those that are good for an overlap more, and of those that waited beside it. */
  readonly superseded: readonly SerialNumber[]
  readonly revoked: readonly SerialNumber[]
}

/**
 * Releases a certificate of a device. Others of the same profile that wait in quarantine beside it are revoked, since one of
 * them has been chosen.
 *
 * @param serialNumber which one; null where only one waits
 * @throws HubError `identity-not-found`, `nothing-quarantined`, `release-ambiguous`
 */
export async function releaseCredential(
  hub: Hub,
  actor: string,
  id: IdentityId,
  serialNumber: SerialNumber | null,
): Promise<Released> {
  return hub.store.write(async (tx) => {
    const nowMs = hub.clock.nowMs()
    const identity = await findDevice(tx, id)
    const waiting = await waitingOf(tx, id, nowMs)
    const chosen = choose(id, waiting, serialNumber)
    const credential = credentialMovedTo(chosen, chosen.activatedAtMs === null ? 'pending' : 'active', nowMs)
    const superseded = credential.state === 'active' ? await supersedeBefore(tx, credential, identity, nowMs) : []
    await tx.credentials.update(credential)
    await tx.events.append({ type: 'credential-released', ...idsOf(credential) })
    const rivals = waiting.filter((each) => each !== chosen && each.profile === chosen.profile)
    for (const rival of rivals) await revokeSuperseded(tx, rival, actor, nowMs)
    const revoked = rivals.map((rival) => rival.serialNumber)
    await tx.audit.append({
      atMs: nowMs,
      actor,
      act: 'credential.release',
      subject: id,
      before: { serialNumber: chosen.serialNumber, state: chosen.state },
      after: { serialNumber: chosen.serialNumber, state: credential.state, superseded, revoked },
    })
    return { identity, credential, superseded, revoked }
  })
}

/** Those that could still be used. */
async function waitingOf(tx: Transaction, id: IdentityId, nowMs: number): Promise<readonly Credential[]> {
  const waiting: Credential[] = []
  for (const credential of await tx.credentials.ofIdentityIn(id, ['quarantined'])) {
    const profile = await profileNamed(tx, credential.profile)
    if (abilitiesOf(credential, profile?.renewal ?? null, nowMs).connect !== 'no') waiting.push(credential)
  }
  return waiting
}

function choose(id: IdentityId, waiting: readonly Credential[], serialNumber: SerialNumber | null): Credential {
  const [first, second] = serialNumber === null ? waiting : waiting.filter((each) => each.serialNumber === serialNumber)
  if (first === undefined) {
    const which = serialNumber === null ? 'no certificate' : `no certificate ${quote(serialNumber)}`
    throw new HubError('nothing-quarantined', `${which} of ${quote(id)} waits in quarantine`)
  }
  if (second === undefined) return first
  const serials = waiting.map((each) => each.serialNumber).join(', ')
  throw new HubError(
    'release-ambiguous',
    `${waiting.length} certificates of ${quote(id)} wait in quarantine: ${serials}`,
  )
}
