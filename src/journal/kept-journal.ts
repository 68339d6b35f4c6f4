/**
 * The journal that a hub keeps. A mark beside the registry says which one it is, so that a folder that is not mounted, or
 * that was emptied, is not taken for a first start.
 */
import { readFileSync } from 'node:fs'
import { HubError, quote } from '../core/errors.ts'
import { writeDurably } from '../disk/durable-file.ts'
import type { Journal } from '../hub/ports/journal.ts'
import { beginJournal, type JournalOptions, openJournal } from './file-journal.ts'

export interface KeptJournalOptions extends JournalOptions {
  /** The path of the mark. */
  readonly mark: string
}

/**
 * The journal of a registry, or null where none was begun yet.
 *
 * @param hub fingerprint of the root of the hub, or null for a registry that is new
 * @throws HubError `journal-missing`, `journal-foreign`, and those of {@link openJournal}
 */
export async function findKeptJournal(options: KeptJournalOptions, hub: string | null): Promise<Journal | null> {
  const journal = await openJournal(options)
  const mark = readMark(options.mark)
  const place = quote(options.files.place)
  if (journal === null) {
    if (mark === null) return null
    const elsewhere = mark.folder === options.files.place ? '' : `; the last one was in ${quote(mark.folder)}`
    throw new HubError('journal-missing', `there is no journal in ${place}${elsewhere}`)
  }
  if (hub === null) {
    throw new HubError('journal-foreign', `the registry is new, and ${place} holds the journal of another`, {
      hint: 'restore a backup of the hub that it belongs to, or name an empty folder with --journal',
    })
  }
  if (journal.hub !== hub) {
    throw new HubError('journal-foreign', `${place} holds the journal of the hub with root ${journal.hub}`)
  }
  if (mark !== null && mark.journal !== journal.id) {
    throw new HubError('journal-missing', `${place} holds another journal of this hub than the one that it kept last`)
  }
  writeMark(options, journal)
  return journal
}

/**
 * Begins a journal for a registry that has none.
 *
 * @param begun as for {@link beginJournal}
 */
export async function beginKeptJournal(
  options: KeptJournalOptions,
  begun: { readonly id: string; readonly hub: string; readonly event: number },
): Promise<Journal> {
  const journal = await beginJournal(options, begun)
  writeMark(options, journal)
  return journal
}

/** What the mark says, or null where no journal was begun. */
export interface Mark {
  readonly journal: string
  readonly folder: string
}

function writeMark({ mark, files }: KeptJournalOptions, journal: Journal): void {
  const text = `${JSON.stringify({ journal: journal.id, folder: files.place } satisfies Mark)}\n`
  try {
    if (readText(mark) !== text) writeDurably(mark, text, 0o600)
  } catch (cause) {
    throw new HubError('data-directory-unusable', `${quote(mark)} cannot be written`, { cause })
  }
}

/** @throws HubError `data-directory-unusable` */
export function readMark(path: string): Mark | null {
  const text = readText(path)
  if (text === null) return null
  try {
    const { journal, folder } = JSON.parse(text) as Mark
    if (typeof journal === 'string' && typeof folder === 'string') return { journal, folder }
  } catch {
    // Said below.
  }
  throw new HubError('data-directory-unusable', `${quote(path)} does not name a journal`, {
    hint: 'remove that file if the journal in its folder is the right one',
  })
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new HubError('data-directory-unusable', `${quote(path)} cannot be read`, { cause })
  }
}
