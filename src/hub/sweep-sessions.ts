/**
 * The second line behind events: a look at every live connection, whether the registry still lets it live. Events close
 * sessions at once; this finds what a lost notification, a mistake or somebody's hand in the database has left behind.
 */
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import type { Anchored } from '../core/identification/anchor.ts'
import { isIdentityId } from '../core/identity/id.ts'
import { type IdentityState, identityRefusal } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import type { EventFollower } from './follow-events.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import type { Store, UnfitCredential } from './ports/store.ts'

/** How often every live connection is looked at. */
export const sweepEveryMs: number = 30_000

/** A certificate of a trust anchor that connections were made with. */
interface LiveAnchored {
  readonly fingerprint: string
  readonly identityId: string
  readonly anchored: Anchored
}

/** What is known of certificates that somebody else has issued. */
interface LivingForeign {
  refresh(): Promise<void>
  renew(living: readonly Anchored[]): Promise<void>
  endOf(anchored: Anchored): FailureName | null
}

export interface SessionSweep {
  /** Looks now. Fulfilled with how many connections were closed. */
  sweep(): Promise<number>
  /** The same without ever rejecting; what the timer does. */
  look(): Promise<number>
  stop(): void
}

/**
 * While the registry cannot be asked nobody is revoked either: sessions live on for a while, and then close, since nobody knows
 * any more who may be there.
 *
 * @param live where connections are: `liveFingerprints` of the certificates that they were made with, and how to close them
 * @param follower is asked to catch up first, because an event closes with the better reason
 * @param graceMs how long sessions live on while the registry cannot be asked
 */
export function sweepSessions(
  hub: { readonly store: Store; readonly clock: Clock; readonly log: Log; readonly foreign: LivingForeign },
  live: {
    liveFingerprints(): readonly string[]
    liveAnchored(): readonly LiveAnchored[]
    closeCredential(fingerprint: string, code: FailureName): number
    livePasswords(): readonly string[]
    closePassword(passwordId: string, code: FailureName): number
    livePins(): readonly string[]
    closeEvery(code: FailureName): number
  },
  follower: Pick<EventFollower, 'catchUp'>,
  graceMs: number,
): SessionSweep {
  let askedAtMs = hub.clock.nowMs()

  async function sweep(): Promise<number> {
    await follower.catchUp()
    const fingerprints = live.liveFingerprints()
    let closed = 0
    for (let start = 0; start < fingerprints.length; start += limits.bulkRowsMax) {
      const unfit = await hub.store.credentials.unfit(fingerprints.slice(start, start + limits.bulkRowsMax))
      for (const each of unfit) closed += live.closeCredential(each.fingerprint, refusalOf(each))
    }
    const pins = live.livePins()
    for (let start = 0; start < pins.length; start += limits.bulkRowsMax) {
      const asked = pins.slice(start, start + limits.bulkRowsMax)
      const known = new Map(
        (await hub.store.pins.statusOf(asked)).map((each) => [each.fingerprint, each.identityState]),
      )
      for (const fingerprint of asked) {
        const state = known.get(fingerprint)
        const code = state === undefined ? 'pin-removed' : identityRefusal(state)
        if (code !== null) closed += live.closeCredential(fingerprint, code)
      }
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
    closed += await sweepAnchored(hub, live)
    if (closed > 0) hub.log.warn('connections lived that no event had closed', { count: closed })
    return closed
  }

  async function look(): Promise<number> {
    try {
      // Each look asks for one row at least, so that an idle gate notices as well.
      await hub.store.settings.find('realm')
      const closed = await sweep()
      askedAtMs = hub.clock.nowMs()
      return closed
    } catch (error) {
      hub.log.error('live connections could not be looked at', { error })
      if (hub.clock.nowMs() - askedAtMs < graceMs) return 0
      const count = live.closeEvery('registry-unreachable')
      if (count > 0) hub.log.error('sessions are closed because the registry cannot be asked for too long', { count })
      return count
    }
  }

  const timer = setInterval(() => void look(), sweepEveryMs)
  timer.unref()
  return { sweep, look, stop: () => clearInterval(timer) }
}

/** Certificates of trust anchors: their identities, their authorities, and what CRLs and responders say by now. */
async function sweepAnchored(
  { store, foreign }: { readonly store: Store; readonly foreign: LivingForeign },
  live: { liveAnchored(): readonly LiveAnchored[]; closeCredential(fingerprint: string, code: FailureName): number },
): Promise<number> {
  const living = live.liveAnchored()
  if (living.length === 0) return 0
  await foreign.refresh()
  await foreign.renew(living.map(({ anchored }) => anchored))
  const states = new Map<string, IdentityState>()
  const ids = [...new Set(living.map(({ identityId }) => identityId))].filter(isIdentityId)
  for (let start = 0; start < ids.length; start += limits.bulkRowsMax) {
    const found = await store.identities.findAll(ids.slice(start, start + limits.bulkRowsMax))
    for (const { id, state } of found) states.set(id, state)
  }
  let closed = 0
  for (const { fingerprint, identityId, anchored } of living) {
    const state = states.get(identityId)
    // Who is registered by this very connection may not be written down yet.
    const code = (state === undefined ? null : identityRefusal(state)) ?? foreign.endOf(anchored)
    if (code !== null) closed += live.closeCredential(fingerprint, code)
  }
  return closed
}

function refusalOf({ state, identityState }: UnfitCredential): FailureName {
  if (state === 'revoked') return 'certificate-revoked'
  if (state === 'intended') return 'certificate-never-completed'
  if (state === 'unadopted') return 'certificate-not-adopted'
  const refusal = identityRefusal(identityState)
  if (refusal === null) throw new HubError('internal', `a credential that is ${state} was called unfit`)
  return refusal
}
