/**
 * The second line behind events: a look at every live connection, whether the registry still lets it live. Events close
 * sessions at once; this finds what a lost notification, a mistake or somebody's hand in the database has left behind.
 */
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { identityRefusal } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import type { EventFollower } from './follow-events.ts'
import type { Log } from './ports/log.ts'
import type { Store, UnfitCredential } from './ports/store.ts'

/** How often every live connection is looked at. */
export const sweepEveryMs: number = 30_000

export interface SessionSweep {
  /** Looks now. Fulfilled with how many connections were closed. */
  sweep(): Promise<number>
  stop(): void
}

/**
 * @param live where connections are: `liveFingerprints` of the certificates that they were made with, and how to close them
 * @param follower is asked to catch up first, because an event closes with the better reason
 */
export function sweepSessions(
  hub: { readonly store: Store; readonly log: Log },
  live: {
    liveFingerprints(): readonly string[]
    closeCredential(fingerprint: string, code: FailureName): number
    livePasswords(): readonly string[]
    closePassword(passwordId: string, code: FailureName): number
  },
  follower: Pick<EventFollower, 'catchUp'>,
): SessionSweep {
  async function sweep(): Promise<number> {
    await follower.catchUp()
    const fingerprints = live.liveFingerprints()
    let closed = 0
    for (let start = 0; start < fingerprints.length; start += limits.bulkRowsMax) {
      const unfit = await hub.store.credentials.unfit(fingerprints.slice(start, start + limits.bulkRowsMax))
      for (const each of unfit) closed += live.closeCredential(each.fingerprint, refusalOf(each))
    }
    const passwords = live.livePasswords()
    for (let start = 0; start < passwords.length; start += limits.bulkRowsMax) {
      const asked = passwords.slice(start, start + limits.bulkRowsMax)
      const known = new Map((await hub.store.passwords.statusOf(asked)).map((each) => [each.id, each]))
      for (const id of asked) {
        const status = known.get(id)
        const isOver = status === undefined || status.state === 'ended'
        const code = isOver ? 'password-ended' : identityRefusal(status.identityState)
        if (code !== null) closed += live.closePassword(id, code)
      }
    }
    if (closed > 0) hub.log.warn('connections lived that no event had closed', { count: closed })
    return closed
  }

  const timer = setInterval(() => {
    sweep().catch((error: unknown) => hub.log.error('live connections could not be looked at', { error }))
  }, sweepEveryMs)
  timer.unref()
  return { sweep, stop: () => clearInterval(timer) }
}

function refusalOf({ state, identityState }: UnfitCredential): FailureName {
  if (state === 'revoked') return 'certificate-revoked'
  if (state === 'intended') return 'certificate-never-completed'
  if (state === 'unadopted') return 'certificate-not-adopted'
  const refusal = identityRefusal(identityState)
  if (refusal === null) throw new HubError('internal', `a credential that is ${state} was called unfit`)
  return refusal
}
