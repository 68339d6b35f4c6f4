/** Backups and checks, put together: they work beside a hub that runs, and without one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeBackupFile } from '../backup/backup-file.ts'
import type { Manifest } from '../backup/lines.ts'
import { makeBackup } from '../backup/make-backup.ts'
import { type BackupSummary, restoreBackup } from '../backup/restore-backup.ts'
import { assertRecipient, identitiesIn, type Keyring, type Seal } from '../backup/sealing.ts'
import { type CheckReport, checkRegistry, issuanceRules } from '../check/check-registry.ts'
import type { HubConfig } from '../config/config.ts'
import { HubError, quote } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import type { KeyStore } from '../hub/ports/signer.ts'
import type { RegistrySnapshot } from '../hub/ports/snapshot.ts'
import { readPassphrase } from '../keys/file/passphrase.ts'
import { openKeptKeys, readSealedFiles } from '../keys/kept-keys.ts'
import { dataDirectoryAt, readIfThere } from '../machine/data-directory.ts'
import { systemClock as clock } from '../machine/system.ts'
import { readDatabaseAddress } from '../store/postgres/address.ts'
import { openPostgresSnapshot } from '../store/postgres/postgres-snapshot.ts'
import { openSqliteRestorer } from '../store/sqlite/sqlite-restorer.ts'
import { openSqliteSnapshot } from '../store/sqlite/sqlite-snapshot.ts'
import { version } from '../version.ts'

export interface BackupResult {
  readonly manifest: Manifest
  readonly bytes: number
  readonly rows: ReadonlyMap<string, number>
}

/**
 * Writes a backup of the registry that the configuration names, at one moment, while a hub may go on writing.
 *
 * @throws HubError `backup-unwritable`, `database-unusable`, `database-unreachable`, `data-directory-unusable`
 */
export async function backUp(config: HubConfig, file: string, seal: Seal): Promise<BackupResult> {
  const snapshot = await openSnapshot(config)
  try {
    // Keys are made before the rows that name them and never change, so they may be read after the snapshot was taken.
    const keys = await sealedKeysOf(config, snapshot)
    const passphrase = config.passphrase === null ? await generatedPassphrase(config) : null
    const { manifest, text } = await makeBackup({ snapshot, keys, passphrase, nowMs: clock.nowMs(), version })
    return { manifest, ...(await writeBackupFile(file, text, seal)) }
  } finally {
    await snapshot.close()
  }
}

export interface VerifiedBackup extends BackupSummary {
  readonly report: CheckReport
}

/**
 * Restores a backup into a place that is removed again, and checks the registry that it makes.
 *
 * @param passphrase of the authority keys, for a backup that does not hold it
 * @throws HubError `backup-damaged`, `backup-sealed`, `backup-too-new`, `key-passphrase-wrong`
 */
export async function verifyBackup(file: string, keyring: Keyring, passphrase: Secret | null): Promise<VerifiedBackup> {
  const folder = mkdtempSync(join(tmpdir(), 'handfast-verify-'))
  try {
    const path = join(folder, 'registry.db')
    const restored = await restoreBackup({
      path: file,
      keyring,
      open: ({ registryVersion }) => openSqliteRestorer(path, registryVersion),
      withSealedKeys: false,
      settings: new Map(),
    })
    const opening = restored.passphrase ?? passphrase
    const keys = opening === null ? null : await openKeptKeys(restored.keys, opening, 'the backup')
    return { manifest: restored.manifest, rows: restored.rows, report: await checkedAt(path, keys) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Checks the registry that the configuration names, at one moment, while a hub may go on writing. */
export function checkLive(config: HubConfig): Promise<CheckReport> {
  return lookedAt(config)
}

/** The same for what the authorities have issued alone. */
export function auditAuthorities(config: HubConfig): Promise<CheckReport> {
  return lookedAt(config, issuanceRules)
}

async function lookedAt(config: HubConfig, chosen?: ReadonlySet<string>): Promise<CheckReport> {
  const snapshot = await openSnapshot(config)
  try {
    const passphrase = await keyPassphrase(config)
    const keys = await sealedKeysOf(config, snapshot)
    const place = config.databaseUrl === null ? 'the data directory' : 'the registry'
    const opened = passphrase === null ? null : await openKeptKeys(keys, passphrase, place)
    return await checkRegistry(snapshot, opened, chosen)
  } finally {
    await snapshot.close()
  }
}

export async function checkedAt(path: string, keys: KeyStore | null): Promise<CheckReport> {
  const snapshot = await openSqliteSnapshot(path)
  try {
    return await checkRegistry(snapshot, keys)
  } finally {
    await snapshot.close()
  }
}

/**
 * Whom to encrypt a backup to.
 *
 * @param passphraseFile null for none
 * @throws HubError `usage`, `config-invalid`
 */
export async function sealFrom(recipients: readonly string[], passphraseFile: string | null): Promise<Seal> {
  for (const recipient of recipients) assertRecipient(recipient)
  if (passphraseFile === null) return recipients.length === 0 ? null : { recipients }
  if (recipients.length > 0) {
    throw new HubError('usage', 'a backup is encrypted to recipients or with a passphrase, not both')
  }
  return { passphrase: await readGivenPassphrase(passphraseFile) }
}

/**
 * What opens an encrypted backup.
 *
 * @param identityFiles as `age-keygen` writes them
 * @throws HubError `usage`, `config-invalid`
 */
export async function keyringFrom(identityFiles: readonly string[], passphraseFile: string | null): Promise<Keyring> {
  const texts = await Promise.all(identityFiles.map(readIdentities))
  return {
    passphrase: passphraseFile === null ? null : await readGivenPassphrase(passphraseFile),
    identities: texts.flatMap(identitiesIn),
  }
}

async function readIdentities(file: string): Promise<Secret> {
  const text = await readIfThere(file)
  if (text !== null) return new Secret(text)
  throw new HubError('usage', `there is no identity file ${quote(file)}`, {
    hint: 'give the file that `age-keygen -o` has written',
  })
}

/** @throws HubError `config-invalid` */
function readGivenPassphrase(file: string): Promise<Secret> {
  return readPassphrase({ file }, '')
}

/** The passphrase of the authority keys that the configuration gives; null where it gives none. */
export async function givenPassphrase({ passphrase }: HubConfig): Promise<Secret | null> {
  return passphrase === null ? null : readPassphrase(passphrase, '')
}

/** The passphrase that the configuration gives or the data directory holds; null where there is neither. */
export async function keyPassphrase(config: HubConfig): Promise<Secret | null> {
  return config.passphrase === null ? generatedPassphrase(config) : givenPassphrase(config)
}

async function generatedPassphrase({ dataDirectory }: HubConfig): Promise<Secret | null> {
  const text = await readIfThere(dataDirectoryAt(dataDirectory).passphraseFile)
  return text === null ? null : new Secret(text.replace(/\r?\n$/, ''))
}

function openSnapshot({ databaseUrl, dataDirectory }: HubConfig): Promise<RegistrySnapshot> {
  if (databaseUrl !== null) return openPostgresSnapshot(readDatabaseAddress(databaseUrl))
  const directory = dataDirectoryAt(dataDirectory)
  return openSqliteSnapshot(directory.database).catch(async (error: unknown) => {
    if ((await readIfThere(directory.restoreMark)) === null) throw error
    throw new HubError('database-unusable', 'a restore was begun here and is not through', {
      hint: 'start the hub, which goes through with it: `handfast up`',
    })
  })
}

async function sealedKeysOf(config: HubConfig, { registry }: RegistrySnapshot): Promise<ReadonlyMap<string, string>> {
  if (config.databaseUrl === null) return readSealedFiles(dataDirectoryAt(config.dataDirectory).keys)
  const names = await registry.sealedKeys.names()
  return new Map(
    await Promise.all(names.map(async (name) => [name, (await registry.sealedKeys.find(name)) ?? ''] as const)),
  )
}
