/** How many identities and certificates there are, for whoever watches a fleet. */
import type { CredentialState } from '../core/identity/credential.ts'
import { type IdentityState, identityStates } from '../core/identity/identity.ts'
import { deviceProfile, grantableProfiles, ocspProfile } from '../core/profile/built-in.ts'
import type { Authorities } from './authorities.ts'
import { hubIdentityId } from './hub-credential.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { EndingQuery, Store } from './ports/store.ts'

const daySec = 86_400

/** Spans of time that a certificate may have left, each with the first second that it does not hold, counted from now. */
export const remainingSpans = {
  expired: 0,
  under_1d: daySec,
  under_3d: 3 * daySec,
  under_7d: 7 * daySec,
  under_14d: 14 * daySec,
  under_30d: 30 * daySec,
  under_90d: 90 * daySec,
  over_90d: Number.POSITIVE_INFINITY,
} as const
export type RemainingSpan = keyof typeof remainingSpans

/** The states of certificates that a device may come in with next; those that were superseded have a newer one beside them. */
export const countedStates = ['pending', 'active'] as const satisfies readonly CredentialState[]

export interface CertificateCount {
  readonly profile: string
  readonly state: (typeof countedStates)[number]
  /** From the span before, not included, to this one. */
  readonly remaining: RemainingSpan
  readonly count: number
}

export interface RegistryCounts {
  readonly atMs: number
  readonly certificates: readonly CertificateCount[]
  /** Without the hub's own. */
  readonly identities: ReadonlyMap<IdentityState, number>
}

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly authorities: Authorities
}

/** Counts the whole registry, in steps. @throws HubError `store-unavailable` */
export async function countRegistry(hub: Hub): Promise<RegistryCounts> {
  const atMs = hub.clock.nowMs()
  const identities = new Map<IdentityState, number>()
  const own = await hub.store.identities.find(hubIdentityId)
  for (const state of identityStates) {
    const all = await hub.store.counts.identitiesIn(state)
    identities.set(state, own?.state === state ? all - 1 : all)
  }
  return { atMs, certificates: await countCertificates(hub), identities }
}

/**
 * Certificates are counted by authority, where one index holds all that is asked, and those of other profiles than `device` in
 * another; what remains is of devices.
 */
async function countCertificates(hub: Hub): Promise<readonly CertificateCount[]> {
  const now = nowSec(hub.clock)
  const others = await otherProfiles(hub.store)
  const counts: CertificateCount[] = []
  const issuers = hub.authorities.all().filter(({ role, state }) => role === 'issuing' && state !== 'retired')
  const sumOf = async (query: Omit<EndingQuery, 'authorityId'>): Promise<number> => {
    let sum = 0
    for (const { id: authorityId } of issuers)
      sum += await hub.store.counts.credentialsEnding({ ...query, authorityId })
    return sum
  }
  for (const state of countedStates) {
    let fromSec = 0
    for (const [remaining, span] of spans) {
      const beforeSec = Number.isFinite(span) ? now + span : Number.MAX_SAFE_INTEGER
      let devices = await sumOf({ state, fromSec, beforeSec })
      for (const profile of others) {
        // What is not there at all is in none of the profiles.
        const count = devices === 0 ? 0 : await sumOf({ state, fromSec, beforeSec, profile })
        devices -= count
        counts.push({ profile, state, remaining, count })
      }
      // Others write meanwhile.
      counts.push({ profile: deviceProfile.name, state, remaining, count: Math.max(0, devices) })
      fromSec = beforeSec
    }
  }
  return counts
}

/** Names of all profiles that certificates of identities are made from, without `device`. */
async function otherProfiles(store: Pick<Store, 'profiles'>): Promise<readonly string[]> {
  const names = [...grantableProfiles, ocspProfile].map(({ name }) => name)
  const own = (await store.profiles.all()).map(({ name }) => name)
  return [...names.filter((name) => name !== deviceProfile.name), ...own]
}

const spans = Object.entries(remainingSpans) as readonly (readonly [RemainingSpan, number])[]
