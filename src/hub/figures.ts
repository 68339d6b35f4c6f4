/** A look at the whole hub at one moment, as whoever watches it wants to see it. */
import { HubError } from '../core/errors.ts'
import type { FailureName } from '../core/failure/catalogue.ts'
import { limits } from '../core/limits.ts'
import type { Authorities } from './authorities.ts'
import type { EventFollower } from './follow-events.ts'
import { inTime, keptAnswer } from './kept-answer.ts'
import type { Clock } from './ports/clock.ts'
import type { FollowerFigures, GateFigures } from './ports/figures.ts'
import type { Store } from './ports/store.ts'
import type { ReadinessVerdict } from './readiness.ts'
import type { CrlDates, CrlRefresher } from './refresh-crls.ts'
import { countRegistry, type RegistryCounts } from './registry-counts.ts'
import type { ServerCertificateKeeper } from './renew-server-certificate.ts'

export interface AuthorityFigures {
  readonly id: string
  readonly role: 'root' | 'issuing'
  /** Last good second. */
  readonly notAfterSec: number
  /** Null while there is no CRL. */
  readonly crl: CrlDates | null
}

export interface IncidentFigures {
  readonly listener: string
  readonly code: FailureName
  readonly parties: number
}

export interface HubFigures {
  readonly gate: GateFigures
  readonly broker: { readonly isUp: boolean; readonly restarts: number }
  readonly writesWaiting: number
  readonly isJournaling: boolean
  readonly authorities: readonly AuthorityFigures[]
  /** Last good second of the certificate that the listeners use. */
  readonly serverNotAfterSec: number
  /** By target: age of the oldest revocation that it has not applied, 0 when there is none. Null when nobody knows. */
  readonly revocationsWaitingMs: ReadonlyMap<string, number | null>
  readonly readiness: ReadinessVerdict
  /** Null when the registry does not answer. */
  readonly followers: readonly FollowerFigures[] | null
  readonly counts: RegistryCounts | null
  /** Parties that incidents refuse, by listener and cause. Null when the registry does not answer. */
  readonly incidents: readonly IncidentFigures[] | null
}

/** The parts that are looked at. */
export interface WatchedParts {
  readonly store: Store
  readonly journal: { isJournaling(): boolean }
  readonly clock: Clock
  readonly authorities: Authorities
  readonly gate: { figures(): GateFigures }
  readonly broker: { isAvailable(): boolean; restarts(): number }
  readonly crls: Pick<CrlRefresher, 'datesOf' | 'oldestOwedMs'>
  readonly serverCertificate: Pick<ServerCertificateKeeper, 'inUse'>
  /** By name; `gate` closes the sessions of what was revoked. */
  readonly followers: { readonly gate: EventFollower }
  readonly readiness: { judge(): Promise<ReadinessVerdict> }
}

/** The way to look; what the registry does not tell in time is null. */
export function figuresOf(parts: WatchedParts): () => Promise<HubFigures> {
  const { store, clock, authorities, gate, broker, crls } = parts
  const counts = keptAnswer(clock, limits.countsKeptMs, () => countRegistry(parts))
  return async () => {
    const [followers, readiness, counted, incidents] = await Promise.all([
      orNull(followersOf(parts)),
      parts.readiness.judge(),
      orNull(counts()),
      orNull(incidentFigures(store)),
    ])
    const gateFollower = followers?.find(({ name }) => name === 'gate')
    const owedSinceMs = crls.oldestOwedMs()
    return {
      gate: gate.figures(),
      broker: { isUp: broker.isAvailable(), restarts: broker.restarts() },
      writesWaiting: store.health().unitsWaiting,
      isJournaling: parts.journal.isJournaling(),
      authorities: authorities.signing().map(({ id, role, fields }) => ({
        id,
        role,
        notAfterSec: fields.notAfterSec,
        crl: crls.datesOf(id),
      })),
      serverNotAfterSec: parts.serverCertificate.inUse().notAfterSec,
      revocationsWaitingMs: new Map([
        ['gate', gateFollower?.oldestUnhandledMs ?? null],
        ['crl', owedSinceMs === null ? 0 : age(clock, owedSinceMs)],
      ]),
      readiness,
      followers,
      counts: counted,
      incidents,
    }
  }
}

function followersOf({ store, clock, followers }: WatchedParts): Promise<readonly FollowerFigures[]> {
  return Promise.all(
    Object.entries(followers).map(async ([name, follower]) => {
      const position = follower.position()
      const [oldest] = await store.events.after(position, 1)
      if (oldest === undefined) return { name, unhandled: 0, oldestUnhandledMs: 0 }
      const unhandled = (await store.events.last()) - position
      return { name, unhandled, oldestUnhandledMs: age(clock, oldest.atMs) }
    }),
  )
}

/** Incidents that differ in their issuer alone are one: a name that strangers write is no label. */
async function incidentFigures(store: Store): Promise<readonly IncidentFigures[]> {
  const sums = new Map<string, IncidentFigures>()
  for (const { listener, code, parties } of await store.incidents.standing()) {
    const key = `${listener} ${code}`
    const count = parties.identities + parties.certificates + parties.networks
    sums.set(key, { listener, code, parties: (sums.get(key)?.parties ?? 0) + count })
  }
  return [...sums.values()]
}

function age(clock: Clock, atMs: number): number {
  return Math.max(0, clock.nowMs() - atMs)
}

/** A registry that cannot be read, or not now, is told by readiness; here its figures are missing. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await inTime(work, limits.figuresMs, () => new HubError('store-unavailable', 'the registry does not answer'))
  } catch {
    return null
  }
}
