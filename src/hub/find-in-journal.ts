/** Where a registry stands in its journal: at the end, or, after an older copy of it was restored, before that. */
import { isDeepStrictEqual } from 'node:util'
import { HubError } from '../core/errors.ts'
import type { Journal, JournalEntry } from './ports/journal.ts'
import type { Store } from './ports/store.ts'

export interface JournalPosition {
  /** The place of the last entry that the registry knows; what stands behind it has happened in another life of it. */
  readonly place: number
  /** The number of that event in the registry: events behind it are not in the journal yet. */
  readonly event: number
}

/**
 * The last entry of the journal that is an event of the registry, too.
 *
 * @throws HubError `journal-too-short` when the registry is older than the journal's first entry, `journal-foreign` when they
 *   have no event in common although they should, `journal-damaged`
 */
export async function findInJournal(store: Pick<Store, 'events'>, journal: Journal): Promise<JournalPosition> {
  const last = await store.events.last()
  for await (const { place, entry } of journal.newestFirst()) {
    if (entry.number <= last && (await isKnown(store, entry))) return { place, event: entry.number }
  }
  const { start } = journal
  if (last < start.event) {
    throw new HubError(
      'journal-too-short',
      `the registry ends with event ${last}, and the journal begins behind event ${start.event}`,
    )
  }
  // Nothing was journalled yet, or the registry was restored to the very moment at which the journal begins.
  if (last === start.event || journal.end === start.place) return start
  throw new HubError('journal-foreign', 'the journal and the registry tell of different events')
}

async function isKnown(store: Pick<Store, 'events'>, entry: JournalEntry): Promise<boolean> {
  const [found] = await store.events.after(entry.number - 1, 1)
  if (found === undefined) return false
  const { number, atMs, ...event } = found
  return number === entry.number && atMs === entry.atMs && isDeepStrictEqual(event, entry.event)
}
