/** The journal of a hub, put together: found before anything is written, and then between the registry and its users. */
import { join } from 'node:path'
import type { HubConfig } from './config/config.ts'
import { HubError, quote } from './core/errors.ts'
import { certificateFingerprint } from './core/x509/certificate.ts'
import { findInJournal } from './hub/find-in-journal.ts'
import { journalEntries } from './hub/journal-entries.ts'
import type { Log } from './hub/ports/log.ts'
import type { Store } from './hub/ports/store.ts'
import { replayJournal } from './hub/replay-journal.ts'
import { journalFolder } from './journal/journal-files.ts'
import { type JournaledStore, journaled } from './journal/journaled-store.ts'
import { beginKeptJournal, findKeptJournal } from './journal/kept-journal.ts'
import type { DataDirectory } from './machine/data-directory.ts'
import { systemClock as clock, systemRandom as random } from './machine/system.ts'
import { lockDataDirectory } from './store/sqlite/data-lock.ts'

export interface HubJournal {
  /**
   * The registry, whose acts are acknowledged when the journal holds them. A registry that has no journal gets one.
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
  const files = await openFolder(config.journal)
  const lock = lockDataDirectory(join(config.journal, 'lock.db'))
  const options = { files, clock, keptMs: config.journalDays * 86_400_000, mark: hub.directory.journalMark }
  try {
    const root = (await registry.authorities.all()).find(({ role }) => role === 'root')
    const found = await findKeptJournal(options, root === undefined ? null : certificateFingerprint(root.certificate))
    return {
      async guard(fingerprint) {
        const journal = found ?? (await begin(fingerprint))
        const { place, event, isBehind } = await findInJournal(registry, journal)
        if (isBehind) {
          const report = await replayJournal({ store: registry, clock, journal }, place, false)
          log.warn('the registry was restored from a backup: what was taken away since is taken away again', {
            ...report,
          })
        }
        const store = journaled(registry, {
          journal,
          position: event,
          describe: (events) => journalEntries(registry, events),
          log,
        })
        await store.settled()
        return store
      },
      close: () => lock.release(),
    }
  } catch (error) {
    lock.release()
    throw error
  }

  async function begin(fingerprint: string) {
    const id = Buffer.from(random.bytes(16)).toString('hex')
    return beginKeptJournal(options, { id, hub: fingerprint, event: await registry.events.last() })
  }
}

async function openFolder(path: string) {
  try {
    return await journalFolder(path)
  } catch (cause) {
    throw new HubError('journal-unavailable', `the folder ${quote(path)} of the journal cannot be used`, {
      hint: 'check its disk, owner and mode, or name another folder with --journal or HANDFAST_JOURNAL',
      cause,
    })
  }
}
