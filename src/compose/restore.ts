/** Restoring a backup, put together: what it would mean, and doing it. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from '../backup/lines.ts'
import { type BackupSummary, type RestoredKeys, readBackupSummary, restoreBackup } from '../backup/restore-backup.ts'
import type { Keyring } from '../backup/sealing.ts'
import type { CheckReport } from '../check/check-registry.ts'
import type { HubConfig } from '../config/config.ts'
import { assert, HubError, quote } from '../core/errors.ts'
import { writeDurably } from '../disk/durable-file.ts'
import { findInJournal } from '../hub/find-in-journal.ts'
import { type JournalFacts, journalFacts } from '../hub/journal-facts.ts'
import type { Log } from '../hub/ports/log.ts'
import type { KeyStore } from '../hub/ports/signer.ts'
import type { EventReader } from '../hub/ports/store.ts'
import { acceptedGap } from '../hub/replay-journal.ts'
import { openKeptKeys } from '../keys/kept-keys.ts'
import { type DataDirectory, dataDirectoryAt, prepareDataDirectory } from '../machine/data-directory.ts'
import { finishRestore, stagingFolder, takePlace } from '../machine/pending-restore.ts'
import { systemClock as clock } from '../machine/system.ts'
import { readDatabaseAddress } from '../store/postgres/address.ts'
import { openPostgresRestorer } from '../store/postgres/postgres-restorer.ts'
import { lockDataDirectory } from '../store/sqlite/data-lock.ts'
import { openSqliteRestorer } from '../store/sqlite/sqlite-restorer.ts'
import { checkedAt, keyPassphrase } from './backup.ts'
import { dropJournalMark, readJournal } from './journal.ts'

/** What is known of the time after a backup. */
export type JournalOfBackup =
  /** The journal reaches back to it, and these are the facts. */
  | { readonly kind: 'covers'; readonly folder: string; readonly facts: JournalFacts }
  | { readonly kind: 'missing'; readonly folder: string; readonly why: string }
  /** It reaches back only in part: what happened in between is unknown. */
  | { readonly kind: 'short'; readonly folder: string; readonly firstEvent: number; readonly facts: JournalFacts }

export interface RestorePlan extends BackupSummary {
  readonly journal: JournalOfBackup
  /** Where it would go, in words, and whether a registry is there. */
  readonly target: { readonly place: string; readonly isTaken: boolean }
}

/**
 * Says what restoring a backup would mean. Nothing is changed.
 *
 * @throws HubError as {@link readBackupSummary}; `journal-damaged`, `journal-foreign`
 */
export async function planRestore(config: HubConfig, file: string, keyring: Keyring): Promise<RestorePlan> {
  const summary = await readBackupSummary(file, keyring)
  return { ...summary, journal: await journalOf(config, summary.manifest), target: targetOf(config) }
}

export interface RestoreChoice {
  /** Whether a registry that is there may be replaced. */
  readonly replace: boolean
  /** Whether it may be restored although nobody knows what was revoked since. */
  readonly acceptUnknown: boolean
}

export interface RestoreOrder {
  readonly file: string
  readonly keyring: Keyring
  readonly choice: RestoreChoice
}

export interface RestoreResult extends BackupSummary {
  readonly journal: JournalOfBackup
  /** Of the restored registry; null for PostgreSQL, which is checked with `handfast check`. */
  readonly report: CheckReport | null
  /** Where the registry that was there before lies now. */
  readonly aside: string | null
}

/**
 * Puts the registry of a backup in place, with its keys. No hub may run on it. The journal is left as it is: the next start
 * of the hub applies what it tells.
 *
 * @throws HubError as {@link planRestore}; `data-directory-locked`, `registry-in-use`, `restore-target-taken`,
 *   `restore-unsafe`, `key-passphrase-wrong`
 */
export async function applyRestore(config: HubConfig, order: RestoreOrder, log: Log): Promise<RestoreResult> {
  const { file, keyring, choice } = order
  const { manifest } = await readBackupSummary(file, keyring)
  const journal = await journalOf(config, manifest)
  assertSafe(journal, choice)
  const directory = await prepareDataDirectory(config.dataDirectory, log)
  const lock = lockDataDirectory(directory.lock)
  try {
    await finishRestore(directory)
    const target = targetOf(config)
    if (target.isTaken && !choice.replace)
      throw new HubError('restore-target-taken', `${target.place} holds a registry`)
    mkdirSync(stagingFolder(directory), { mode: 0o700 })
    const found = await fill(config, directory, order, journal)
    const report = config.databaseUrl === null ? await checkStaged(directory, found) : null
    if (journal.kind === 'missing') dropJournalMark(directory)
    const stamp = new Date(clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-')
    const aside = await takePlace(directory, `replaced-${stamp}`)
    return { manifest: found.manifest, rows: found.rows, journal, report, aside }
  } catch (error) {
    // Removes what was staged, unless it has been decided on.
    await finishRestore(directory)
    throw error
  } finally {
    lock.release()
  }
}

interface Filled extends BackupSummary {
  readonly keys: KeyStore
}

async function fill(
  config: HubConfig,
  directory: DataDirectory,
  { file, keyring, choice }: RestoreOrder,
  journal: JournalOfBackup,
): Promise<Filled> {
  const { databaseUrl } = config
  const opened: { keys: KeyStore | null } = { keys: null }
  const summary = await restoreBackup({
    path: file,
    keyring,
    open: ({ registryVersion: version }) =>
      databaseUrl === null
        ? openSqliteRestorer(stagedDatabase(directory), version)
        : openPostgresRestorer({ address: readDatabaseAddress(databaseUrl), version, replace: choice.replace }),
    withSealedKeys: databaseUrl !== null,
    settings: new Map(journal.kind === 'covers' ? [] : [[acceptedGap, 'accepted']]),
    async confirm(restored) {
      opened.keys = await confirmKeys(config, directory, restored)
    },
  })
  assert(opened.keys !== null, 'a backup that was restored has been confirmed')
  return { ...summary, keys: opened.keys }
}

/** Opens the keys as the hub will, and prepares them for their place. */
async function confirmKeys(config: HubConfig, directory: DataDirectory, restored: RestoredKeys): Promise<KeyStore> {
  const own = await keyPassphrase(config)
  const isGiven = config.passphrase !== null
  const passphrase = isGiven ? own : (restored.passphrase ?? own)
  if (passphrase === null) {
    throw new HubError('key-passphrase-wrong', 'the backup does not hold the passphrase of its keys', {
      hint: 'give it with --passphrase-file or HANDFAST_PASSPHRASE, here and at every start',
    })
  }
  const keys = await openKeptKeys(restored.keys, passphrase, 'the backup')
  const isShared = config.databaseUrl !== null
  // Listeners' keys of a process that shares its registry stay, unless its passphrase is exchanged.
  const isSame = own !== null && own.reveal() === passphrase.reveal()
  if (isShared && isSame) return keys
  const folder = join(stagingFolder(directory), 'keys')
  mkdirSync(folder, { mode: 0o700 })
  if (!isShared) for (const [name, text] of restored.keys) writeDurably(join(folder, name), text, 0o600)
  if (!isGiven) writeDurably(join(folder, 'passphrase'), `${passphrase.reveal()}\n`, 0o600)
  return keys
}

async function checkStaged(directory: DataDirectory, { keys }: Filled): Promise<CheckReport> {
  const path = stagedDatabase(directory)
  const report = await checkedAt(path, keys)
  // Reading has made them; there is nothing in them.
  for (const name of [`${path}-wal`, `${path}-shm`]) rmSync(name, { force: true })
  return report
}

function stagedDatabase(directory: DataDirectory): string {
  return join(stagingFolder(directory), 'handfast.db')
}

/** @throws HubError `restore-unsafe` */
function assertSafe(journal: JournalOfBackup, { acceptUnknown }: RestoreChoice): void {
  if (journal.kind === 'covers' || acceptUnknown) return
  const why =
    journal.kind === 'missing' ? journal.why : `the journal in ${quote(journal.folder)} begins after this backup`
  throw new HubError('restore-unsafe', `${why}: what was revoked after this backup would be good again`, {
    hint: 'name the journal with --journal, or use a newer backup; --accept-unknown restores it all the same',
  })
}

async function journalOf(config: HubConfig, manifest: Manifest): Promise<JournalOfBackup> {
  const folder = config.journal
  const found = await readJournal(config)
  if (found.journal === null) return { kind: 'missing', folder, why: found.why }
  const { journal } = found
  if (journal.hub !== manifest.root) {
    throw new HubError(
      'journal-foreign',
      `the backup is of the hub with root ${manifest.root}, and the journal of another`,
      {
        hint: 'name the journal of that hub, or an empty folder, with --journal',
      },
    )
  }
  if (!found.isKept) return { kind: 'missing', folder, why: found.why }
  if (journal.highest < (manifest.lastEvent?.number ?? 0)) {
    return { kind: 'covers', folder, facts: await journalFacts(journal, journal.end) }
  }
  try {
    const { place } = await findInJournal({ events: lastEventOf(manifest) }, journal)
    return { kind: 'covers', folder, facts: await journalFacts(journal, place) }
  } catch (error) {
    if (!(error instanceof HubError && error.code === 'journal-too-short')) throw error
    const facts = await journalFacts(journal, journal.start.place)
    return { kind: 'short', folder, firstEvent: journal.start.event + 1, facts }
  }
}

/** The events of a registry of which the last is known. */
function lastEventOf({ lastEvent }: Manifest): EventReader {
  return {
    last: async () => lastEvent?.number ?? 0,
    after: async (number) => (lastEvent !== null && lastEvent.number === number + 1 ? [lastEvent] : []),
  }
}

function targetOf({ databaseUrl, dataDirectory }: HubConfig): RestorePlan['target'] {
  if (databaseUrl !== null) {
    // Whether it holds a registry shows when it is opened.
    return { place: readDatabaseAddress(databaseUrl).place, isTaken: false }
  }
  const { path, database } = dataDirectoryAt(dataDirectory)
  return { place: `the data directory ${quote(path)}`, isTaken: existsSync(database) }
}
