/** How many identities and certificates there are, for whoever watches a fleet. */
import type { Credential, CredentialState } from '../core/identity/credential.ts'
import { type IdentityState, identityStates } from '../core/identity/identity.ts'
import { deviceProfile, serverProfile } from '../core/profile/built-in.ts'
import type { Authorities } from './authorities.ts'
import { type Clock, nowSec } from './ports/clock.ts'
import type { Store } from './ports/store.ts'
import { hubIdentityId } from './server-certificate.ts'

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

/** Certificates are counted by authority, where one index holds all that is asked; the hub's own are read and taken out. */
async function countCertificates(hub: Hub): Promise<readonly CertificateCount[]> {
  const now = nowSec(hub.clock)
  const own = await hub.store.credentials.ofIdentityIn(hubIdentityId, countedStates)
  const counts: CertificateCount[] = []
  const issuers = hub.authorities.all().filter(({ role, state }) => role === 'issuing' && state !== 'retired')
  for (const state of countedStates) {
    let fromSec = 0
    for (const [remaining, span] of spans) {
      const beforeSec = Number.isFinite(span) ? now + span : Number.MAX_SAFE_INTEGER
      let [all, servers] = [0, 0]
      for (const { id: authorityId } of issuers) {
        const query = { authorityId, state, fromSec, beforeSec }
        all += await hub.store.counts.credentialsEnding(query)
        servers += own.filter((each) => isWithin(each, query)).length
      }
      counts.push({ profile: serverProfile.name, state, remaining, count: servers })
      counts.push({ profile: deviceProfile.name, state, remaining, count: all - servers })
      fromSec = beforeSec
    }
  }
  return counts
}

const spans = Object.entries(remainingSpans) as readonly (readonly [RemainingSpan, number])[]

function isWithin(
  credential: Credential,
  query: { readonly authorityId: string; readonly state: CredentialState; fromSec: number; beforeSec: number },
): boolean {
  const { authorityId, state, notAfterSec } = credential
  return (
    authorityId === query.authorityId &&
    state === query.state &&
    notAfterSec >= query.fromSec &&
    notAfterSec < query.beforeSec
  )
}
