/**
 * What time takes away from certificates: an overlap that is over, and a renewed certificate that nobody came to use. Judges
 * refuse both at the second; this writes it down, so that sessions close and readers of CRLs agree.
 */
import {
  type Credential,
  credentialMovedTo,
  credentialRevoked,
  type RevocationReason,
} from '../core/identity/credential.ts'
import { limits } from '../core/limits.ts'
import { grantableProfiles } from '../core/profile/built-in.ts'
import { hasLapsed } from '../core/renewal/abilities.ts'
import { overlapEndMs, supersededLongSinceMs } from '../core/renewal/overlap.ts'
import { doByOne, type LeasedWork } from './leased-work.ts'
import { endOverlapsOfPasswords } from './passwords/change.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store, Transaction } from './ports/store.ts'
import { profileOfRow } from './profiles.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

/** How long a session may outlive the overlap of its certificate. */
const everyMs = 15_000
/** Transactions in one round: what is left waits for the next, and everybody else gets a turn. */
const runsInRound = 50

/**
 * Does it from now on, in one of the processes that share the registry.
 *
 * @param holder names this process among them
 */
export function endOverlaps(hub: Hub, holder: string): LeasedWork {
  return doByOne(hub, { name: 'overlaps', holder }, everyMs, async () => {
    for (let run = 0; run < runsInRound; run += 1) {
      if ((await endOverlapsOfPasswords(hub)) < limits.renewalSweepRows) break
    }
    for (let run = 0; run < runsInRound; run += 1) {
      if ((await endOverlapsNow(hub)) < limits.renewalSweepRows) break
    }
    for (let run = 0; run < runsInRound; run += 1) {
      if ((await endLapsedNow(hub)) < limits.renewalSweepRows) break
    }
  })
}

/** One transaction: revokes those whose overlap is over, at most `limits.renewalSweepRows`. Returns how many it ended. */
export function endOverlapsNow({ store, clock }: Pick<Hub, 'store' | 'clock'>): Promise<number> {
  return store.write(async (tx) => {
    const nowMs = clock.nowMs()
    const over = await tx.credentials.supersededBefore(supersededLongSinceMs(nowMs) + 1, limits.renewalSweepRows)
    for (const credential of over) {
      const { supersededAtMs, notAfterSec } = credential
      if (nowMs >= overlapEndMs({ supersededAtMs: supersededAtMs ?? 0, notAfterSec })) {
        await end(tx, credential, 'superseded', nowMs)
      }
    }
    return over.length
  })
}

/** One transaction: ends renewed certificates that have lapsed, at most `limits.renewalSweepRows`. Returns how many. */
export async function endLapsedNow({ store, clock }: Pick<Hub, 'store' | 'clock'>): Promise<number> {
  const profiles = [...grantableProfiles, ...(await store.profiles.all()).map(profileOfRow)]
  return store.write(async (tx) => {
    const nowMs = clock.nowMs()
    let ended = 0
    for (const { name, renewal } of profiles) {
      const room = limits.renewalSweepRows - ended
      if (room === 0) break
      const sinceMs = nowMs - renewal.pendingLapsesSec * 1000
      const waiting = await tx.credentials.waitingSince(name, sinceMs + 1, room)
      for (const credential of waiting.filter((each) => hasLapsed(each, renewal, nowMs))) {
        await end(tx, credential, 'cessationOfOperation', nowMs)
      }
      ended += waiting.length
    }
    return ended
  })
}

/** A CRL need not say of a certificate that is over that it is over. */
async function end(tx: Transaction, credential: Credential, reason: RevocationReason, nowMs: number): Promise<void> {
  const isExpired = Math.floor(nowMs / 1000) > credential.notAfterSec
  const ended = isExpired
    ? credentialMovedTo(credential, 'expired', nowMs)
    : credentialRevoked(credential, reason, nowMs)
  await tx.credentials.update(ended)
  const { identityId, authorityId, fingerprint, serialNumber } = ended
  if (!isExpired) {
    await tx.events.append({
      type: 'credential-revoked',
      ...{ identityId, authorityId, fingerprint, serialNumber, reason },
    })
  }
  await tx.audit.append({
    atMs: nowMs,
    actor: 'hub',
    act: isExpired ? 'credential.expire' : 'credential.revoke',
    subject: serialNumber,
    before: { state: credential.state, reason: null },
    after: { state: ended.state, reason: ended.revocationReason, identity: identityId },
  })
}
