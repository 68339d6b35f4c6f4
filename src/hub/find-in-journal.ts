/** Where a registry stands in its journal: at the end, or, after an older copy of it was restored, before that. */
import { isDeepStrictEqual } from 'node:util'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Journal, JournalEntry } from './ports/journal.ts'
import type { Store } from './ports/store.ts'

export interface JournalPosition {
  /** The place of the last entry that the registry knows as an event of its own. */
  readonly place: number
  /** The number of that event: events behind it are not in the journal yet. */
  readonly event: number
  /** Whether the journal tells of more, which has happened in another life of the registry and was not replayed yet. */
  readonly isBehind: boolean
}

/**
 * Finds the registry in its journal.
 *
 * @throws HubError `journal-too-short` when the registry is older than the journal's first entry, `journal-foreign` when they
 *   have no event in common although they should, `journal-damaged`
 */
export async function findInJournal(store: Pick<Store, 'events'>, journal: Journal): Promise<JournalPosition> {
  const { place, event } = await lastKnown(store, journal)
  return { place, event, isBehind: place < journal.end && !(await wasReplayed(store, journal, event)) }
}

async function lastKnown(
  store: Pick<Store, 'events'>,
  journal: Journal,
): Promise<{ readonly place: number; readonly event: number }> {
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

/** The hub may have ended after a replay was committed and before the journal heard of it. */
async function wasReplayed(store: Pick<Store, 'events'>, journal: Journal, behind: number): Promise<boolean> {
  for (let number = behind; ; ) {
    const events = await store.events.after(number, limits.pageRowsMax)
    const isDone = events.some(
      (event) => event.type === 'registry-restored' && event.journal === journal.id && event.place === journal.end,
    )
    const last = events.at(-1)
    if (isDone || last === undefined) return isDone
    number = last.number
  }
}
