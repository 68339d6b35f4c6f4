/**
 * The journal: what gives and takes access, kept apart from the registry and its backups. It is a copy of the events in
 * their order, each with what is needed to understand it alone.
 */
import type { Credential } from '../../core/identity/credential.ts'
import type { Identity } from '../../core/identity/identity.ts'
import type { NewHubEvent } from './events.ts'

export interface JournalEntry {
  /** The number of the event in the registry. */
  readonly number: number
  readonly atMs: number
  readonly event: NewHubEvent
  /** The whole credential, where the event issues, adopts or revokes one. */
  readonly credential: Credential | null
  /** Whom the event is about, as the registry had it when the entry was written; null for events about none. */
  readonly identity: Identity | null
}

/** An entry with its place in the journal, counted from 1 at the journal's beginning. */
export interface PlacedEntry {
  readonly place: number
  readonly entry: JournalEntry
}

export interface Journal {
  /** Names this journal, 32 lower-case hexadecimal characters. */
  readonly id: string
  /** Fingerprint of the root of the hub that it belongs to. */
  readonly hub: string
  /** What stands before the first entry that is kept: how many were let go, and the highest number of an event. */
  readonly start: { readonly place: number; readonly event: number }
  /** The place of the last entry; that of `start` when there is none. */
  readonly end: number
  /** The highest number of an event that it has ever held. */
  readonly highest: number

  /**
   * Adds a group of entries behind the last; when this is fulfilled they are on disk and survive a power cut, when it is
   * rejected the journal ends where it did. One call at a time.
   *
   * @param entries at most `limits.journalGroupMax`; none makes sure that what was there at its opening is on disk, too
   * @throws HubError `journal-unavailable`
   */
  append(entries: readonly JournalEntry[]): Promise<void>

  /**
   * The entries behind a place, in order, in groups.
   *
   * @throws HubError `journal-damaged`
   */
  after(place: number): AsyncIterable<readonly PlacedEntry[]>

  /** All entries, the last one first. Same errors. */
  newestFirst(): AsyncIterable<PlacedEntry>

  close(): Promise<void>
}
