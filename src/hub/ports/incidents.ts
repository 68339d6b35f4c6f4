import type { PartyCounts, Trouble } from './cases.ts'
import type { Page, PageQuery } from './page.ts'

/** One cause refuses several parties on one listener: it begins and it ends. */
export interface NewIncident extends Trouble {
  /** As they were counted last, while it stood. */
  readonly parties: PartyCounts
  /** Whether many of them were refused for the first time at about the same time. */
  readonly isSudden: boolean
  /** Some that it began with, as people know them. */
  readonly examples: readonly string[]
  readonly beganAtMs: number
  /** Of the newest refusal that was counted. */
  readonly lastAtMs: number
  /** Null while it stands. */
  readonly endedAtMs: number | null
}

/** The same with its number, counted from 1. */
export interface Incident extends NewIncident {
  readonly number: number
}

export interface IncidentQuery extends PageQuery {
  /** Only those that stand, or that ended at that time or later. */
  readonly endedFromMs?: number
}

export interface IncidentReader {
  /** Those that stand, oldest first; at most `limits.incidentsStandingMax`. */
  standing(): Promise<readonly Incident[]>
  /** Newest first. @throws HubError `cursor-invalid` */
  list(query: IncidentQuery): Promise<Page<Incident>>
}

export interface Incidents extends IncidentReader {
  insert(incident: NewIncident): Promise<void>
  /** Writes what changes: parties, whether it is sudden, and when it was seen last and ended. */
  update(incident: Incident): Promise<void>
  /** Keeps those that stand and the newest of the others. */
  keepNewest(ended: number): Promise<void>
}
