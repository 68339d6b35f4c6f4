/**
 * Incidents: one cause that refuses several parties on one listener. They are found in the cases of a while, written down where they
 * begin and end, and logged once at each. One process of a hub does it, so that several gates and hubs make one incident.
 */
import { isDeepStrictEqual } from 'node:util'
import { explainAtOnce, meansSomethingAtOnce } from '../core/failure/at-once.ts'
import { failureNames } from '../core/failure/catalogue.ts'
import { limits } from '../core/limits.ts'
import { doByOne, type LeasedWork } from './leased-work.ts'
import type { PartyCounts, SharedTrouble, ShownParty, Trouble } from './ports/cases.ts'
import type { Clock } from './ports/clock.ts'
import type { Incident, NewIncident } from './ports/incidents.ts'
import type { Log } from './ports/log.ts'
import type { Store, Transaction } from './ports/store.ts'

interface Hub {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

/** How soon an incident is seen. */
const everyMs = 15_000

const codesLeftOut = failureNames.filter((name) => !meansSomethingAtOnce(name))

/**
 * Looks for them from now on.
 *
 * @param holder names this process among those that share the registry
 */
export function keepIncidents(hub: Hub, holder: string): LeasedWork {
  return doByOne(hub, { name: 'incidents', holder }, everyMs, () => noteIncidents(hub))
}

/** One look: writes down what has begun, changed and ended, and logs what has begun and ended. */
export async function noteIncidents({ store, clock, log }: Hub): Promise<void> {
  const nowMs = clock.nowMs()
  const fromMs = nowMs - limits.incidentWindowMs
  const shared = await store.cases.shared({
    ...{ lastFromMs: fromMs, firstFromMs: fromMs, codesLeftOut },
    partiesMin: limits.incidentPartiesKept,
    limit: limits.incidentsStandingMax,
  })
  if (shared.length === 0 && (await store.incidents.standing()).length === 0) return
  const changes = await store.write((tx) => writeChanges(tx, shared, nowMs))
  for (const incident of changes.begun) log.warn('an incident has begun', told(incident))
  for (const incident of changes.ended) {
    log.info('an incident has ended', { ...told(incident), lastedMs: nowMs - incident.beganAtMs })
  }
}

export interface IncidentChanges {
  readonly begun: readonly NewIncident[]
  readonly changed: readonly Incident[]
  readonly ended: readonly Incident[]
}

/** What follows from those that stand and from what several parties share now. */
export function incidentChanges(
  standing: readonly Incident[],
  shared: readonly SharedTrouble[],
  nowMs: number,
): IncidentChanges {
  const troubles = new Map(shared.map((trouble) => [keyOf(trouble), trouble]))
  const seen = standing.map((incident) => ({ incident, trouble: troubles.get(keyOf(incident)) }))
  const known = new Set(standing.map(keyOf))
  const room = limits.incidentsStandingMax - seen.filter(({ trouble }) => trouble !== undefined).length
  return {
    begun: shared
      .filter((trouble) => !known.has(keyOf(trouble)) && partyCount(trouble.parties) >= limits.incidentPartiesMin)
      .slice(0, room)
      .map((trouble) => beginning(trouble, nowMs)),
    changed: seen.flatMap(({ incident, trouble }) => {
      if (trouble === undefined) return []
      const { parties, lastAtMs } = trouble
      const now = { ...incident, parties, lastAtMs, isSudden: incident.isSudden || isSudden(trouble) }
      return isDeepStrictEqual(now, incident) ? [] : [now]
    }),
    ended: seen.flatMap(({ incident, trouble }) => (trouble === undefined ? [{ ...incident, endedAtMs: nowMs }] : [])),
  }
}

/** Those that another process has begun a moment ago are seen here, since writers follow each other. */
async function writeChanges(
  tx: Transaction,
  shared: readonly SharedTrouble[],
  nowMs: number,
): Promise<IncidentChanges> {
  const changes = incidentChanges(await tx.incidents.standing(), shared, nowMs)
  const begun: NewIncident[] = []
  for (const incident of changes.begun) {
    const parties = await tx.cases.partiesOf(incident, nowMs - limits.incidentWindowMs, limits.incidentExamplesMax)
    begun.push({ ...incident, examples: parties.map(exampleOf).sort() })
  }
  for (const incident of begun) await tx.incidents.insert(incident)
  for (const incident of [...changes.changed, ...changes.ended]) await tx.incidents.update(incident)
  if (changes.ended.length > 0) await tx.incidents.keepNewest(limits.incidentsEndedMax)
  return { ...changes, begun }
}

function beginning(trouble: SharedTrouble, nowMs: number): NewIncident {
  const { listener, code, issuer, parties, lastAtMs } = trouble
  return {
    ...{ listener, code, issuer, parties, lastAtMs },
    ...{ isSudden: isSudden(trouble), examples: [], beganAtMs: nowMs, endedAtMs: null },
  }
}

/** Whether most began lately: those that have been refused for days begin nothing. */
function isSudden({ parties, newcomers }: SharedTrouble): boolean {
  return newcomers >= Math.max(limits.incidentPartiesMin, partyCount(parties) / 2)
}

/** A certificate by what it says of itself and as much of its fingerprint as tells it from others. */
function exampleOf({ kind, name, subject }: ShownParty): string {
  return kind === 'certificate' ? `${subject} (${name.slice(0, 16)}…)` : name
}

function partyCount({ identities, certificates, networks }: PartyCounts): number {
  return identities + certificates + networks
}

function keyOf({ listener, code, issuer }: Trouble): string {
  return JSON.stringify([listener, code, issuer])
}

function told(incident: NewIncident): Readonly<Record<string, unknown>> {
  const { code, listener, issuer, parties, examples } = incident
  const { sentence, owner, cure } = explainAtOnce(incident)
  return { code, listener, issuer, ...parties, examples, owner, why: sentence, cure }
}
