/** The journal of a hub, put together: found before anything is written, and then between the registry and its users. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { HubConfig } from '../config/config.ts'
import { HubError, quote } from '../core/errors.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import { findInJournal, type JournalPosition } from '../hub/find-in-journal.ts'
import { journalEntries } from '../hub/journal-entries.ts'
import type { Journal } from '../hub/ports/journal.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Store } from '../hub/ports/store.ts'
import { acceptedGap, markRestored, replayJournal } from '../hub/replay-journal.ts'
import { openJournal } from '../journal/file-journal.ts'
import { filesIn, type JournalFiles, journalFolder } from '../journal/journal-files.ts'
import { type JournaledStore, journaled } from '../journal/journaled-store.ts'
import { beginKeptJournal, findKeptJournal, type KeptJournalOptions, readMark } from '../journal/kept-journal.ts'
import { type DataDirectory, dataDirectoryAt, sharedFolder } from '../machine/data-directory.ts'
import { systemClock as clock, systemRandom as random } from '../machine/system.ts'
import { lockDataDirectory } from '../store/sqlite/data-lock.ts'

export interface HubJournal {
  /**
   * The registry, whose acts are acknowledged when the journal holds them. A registry that has no journal gets one, and one
   * that was restored gets back what the journal knows.
   *
   * @param hub fingerprint of the root of the hub
   */
  guard(hub: string): Promise<JournaledStore>
  /** Ends the claim on the folder. */
  close(): void
}

/**
 * Claims the folder of the journal and opens what is there. To be called before anything is written: a new registry must not
 * be begun where an old one is missing.
 *
 * @throws HubError `journal-missing`, `journal-foreign`, `journal-damaged`, `journal-unavailable`, `data-directory-locked`
 */
export async function openHubJournal(hub: {
  readonly config: HubConfig
  readonly directory: DataDirectory
  readonly registry: Store
  readonly log: Log
}): Promise<HubJournal> {
  const { config, registry, log } = hub
  const files = await openJournalFolder(config.journal)
  const lock = lockDataDirectory(join(config.journal, 'lock.db'))
  const options = keptOptions(config, files)
  try {
    const root = (await registry.authorities.all()).find(({ role }) => role === 'root')
    const found = await findKeptJournal(options, root === undefined ? null : certificateFingerprint(root.certificate))
    return {
      async guard(fingerprint) {
        const journal = found ?? (await begin(options, registry, fingerprint))
        const position = await catchUp(registry, journal, log)
        const describe: Parameters<typeof journaled>[1]['describe'] = (events) => journalEntries(registry, events)
        const store = journaled(registry, { journal, position, describe, log })
        // A journal that cannot be written now keeps nobody out: devices connect, and nothing is acknowledged until it can.
        await store.settled().catch(() => {})
        return store
      },
      close: () => lock.release(),
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Applies what the journal knows and the registry does not. Returns the number of the last event that both know. */
async function catchUp(registry: Store, journal: Journal, log: Log): Promise<number> {
  const isGapAccepted = (await registry.settings.find(acceptedGap)) !== null
  const position = await positionIn(registry, journal, isGapAccepted)
  if (position.isBehind) {
    const report = await replayJournal({ store: registry, clock, journal }, position.place, position.isIncomplete)
    log.warn('the registry was restored from a backup: what was taken away since is taken away again', { ...report })
  }
  // It was accepted for this start alone.
  if (isGapAccepted) await registry.write((tx) => tx.settings.remove(acceptedGap))
  return position.event
}

async function positionIn(
  registry: Store,
  journal: Journal,
  isGapAccepted: boolean,
): Promise<JournalPosition & { readonly isIncomplete: boolean }> {
  try {
    return { ...(await findInJournal(registry, journal)), isIncomplete: false }
  } catch (error) {
    const isShort = error instanceof HubError && error.code === 'journal-too-short'
    if (!isShort || !isGapAccepted) throw error
    return { place: journal.start.place, event: await registry.events.last(), isBehind: true, isIncomplete: true }
  }
}

async function begin(options: KeptJournalOptions, registry: Store, hub: string): Promise<Journal> {
  if ((await registry.settings.find(acceptedGap)) !== null) await markRestored({ store: registry, clock })
  const id = Buffer.from(random.bytes(16)).toString('hex')
  return beginKeptJournal(options, { id, hub, event: await registry.events.last() })
}

function keptOptions({ journalDays, dataDirectory }: HubConfig, files: JournalFiles): KeptJournalOptions {
  return { files, clock, keptMs: journalDays * 86_400_000, mark: dataDirectoryAt(dataDirectory).journalMark }
}

/** @throws HubError `data-directory-unusable` where it is a file or holds those of others; `journal-unavailable` */
export async function openJournalFolder(path: string): Promise<JournalFiles> {
  try {
    return await journalFolder(path)
  } catch (cause) {
    const shared = sharedFolder(cause, path, '--journal')
    if (shared !== null) throw shared
    throw new HubError('journal-unavailable', `the folder ${quote(path)} of the journal cannot be used`, {
      hint: 'check its disk, owner and mode, or name another folder with --journal or HANDFAST_JOURNAL',
      cause,
    })
  }
}

export type JournalFound =
  | { readonly journal: Journal; readonly isKept: true }
  /** There is one, and it is not the one that the hub kept last. */
  | { readonly journal: Journal; readonly isKept: false; readonly why: string }
  | { readonly journal: null; readonly why: string }

/**
 * The journal that the configuration names, to be read, also while a hub writes it.
 *
 * @throws HubError `journal-damaged`, `journal-unavailable`
 */
export async function readJournal(config: HubConfig): Promise<JournalFound> {
  const place = quote(config.journal)
  const mark = readMark(dataDirectoryAt(config.dataDirectory).journalMark)
  const journal = existsSync(config.journal) ? await openJournal(keptOptions(config, filesIn(config.journal))) : null
  if (journal === null) {
    const elsewhere =
      mark === null || mark.folder === config.journal ? '' : `; the last one was in ${quote(mark.folder)}`
    return { journal, why: `there is no journal in ${place}${elsewhere}` }
  }
  if (mark === null || mark.journal === journal.id) return { journal, isKept: true }
  return { journal, isKept: false, why: `${place} holds another journal than the hub kept last` }
}

/** After that the next start begins another journal, where it finds none. */
export function dropJournalMark({ journalMark }: DataDirectory): void {
  rmSync(journalMark, { force: true })
}

export interface JournalDescription {
  readonly folder: string
  readonly id: string
  readonly hub: string
  readonly entries: number
  readonly firstEvent: number
  readonly lastEvent: number
  /** The time of the first entry, ISO 8601; null for a journal without entries. */
  readonly since: string | null
  readonly files: number
  readonly bytes: number
}

/**
 * Reads the whole journal, which shows whether it is whole.
 *
 * @throws HubError `journal-missing`, `journal-damaged`, `journal-unavailable`
 */
export async function describeJournal(config: HubConfig): Promise<JournalDescription> {
  const found = await readJournal(config)
  if (found.journal === null) throw new HubError('journal-missing', found.why)
  const { journal } = found
  let [entries, since]: [number, string | null] = [0, null]
  for await (const group of journal.after(0)) {
    entries += group.length
    since ??= new Date(group[0]?.entry.atMs ?? 0).toISOString()
  }
  const sizes = readdirSync(config.journal)
    .filter((name) => name.endsWith('.journal'))
    .map((name) => statSync(join(config.journal, name)).size)
  return {
    folder: config.journal,
    id: journal.id,
    hub: journal.hub,
    entries,
    firstEvent: journal.start.event + 1,
    lastEvent: journal.highest,
    since,
    files: sizes.length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  }
}

/**
 * Lets the next start begin another journal, because the one that the hub has kept is lost. One that is there is left alone.
 *
 * @throws HubError `data-directory-locked` while a hub runs, `journal-foreign` where the folder holds a journal
 */
export async function beginNewJournal(config: HubConfig): Promise<void> {
  const directory = dataDirectoryAt(config.dataDirectory)
  if (!existsSync(directory.path)) {
    throw new HubError('data-directory-unusable', `there is no data directory ${quote(directory.path)}`)
  }
  const lock = lockDataDirectory(directory.lock)
  try {
    const journal = existsSync(config.journal) ? await openJournal(keptOptions(config, filesIn(config.journal))) : null
    if (journal !== null) {
      throw new HubError('journal-foreign', `${quote(config.journal)} holds a journal`, {
        hint: 'move that folder away first, or name an empty one with --journal, here and at every start',
      })
    }
    dropJournalMark(directory)
  } finally {
    lock.release()
  }
}
