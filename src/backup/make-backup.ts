/** What goes into a backup: every table of the registry as it was at one moment, the sealed keys, and their passphrase. */
import { HubError } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import { certificateFingerprint } from '../core/x509/certificate.ts'
import type { RegistrySnapshot, Row } from '../hub/ports/snapshot.ts'
import { backupText, formatVersion, keySection, type Manifest, passphraseSection, type SectionSource } from './lines.ts'

export interface BackupSource {
  readonly snapshot: RegistrySnapshot
  /** Sealed keys as they stand in their files, by the names of these. */
  readonly keys: ReadonlyMap<string, string>
  /** The generated passphrase of the keys, or null where it is kept elsewhere. */
  readonly passphrase: Secret | null
  readonly nowMs: number
  /** Of the program that writes. */
  readonly version: string
}

/**
 * The manifest of a backup and its whole text.
 *
 * @throws HubError `database-unusable` for a registry that has no authority yet
 */
export async function makeBackup(source: BackupSource): Promise<{ manifest: Manifest; text: AsyncIterable<string> }> {
  const manifest = await manifestOf(source)
  return { manifest, text: backupText(manifest, sectionsOf(source)) }
}

async function manifestOf({ snapshot, passphrase, nowMs, version }: BackupSource): Promise<Manifest> {
  const { authorities, settings, events, audit } = snapshot.registry
  const root = (await authorities.all()).find(({ role }) => role === 'root')
  if (root === undefined) {
    throw new HubError('database-unusable', 'the registry has no authority: there is nothing to back up yet', {
      hint: 'start the hub once: `handfast up`',
    })
  }
  const last = await events.last()
  const [event = null] = last === 0 ? [] : await events.after(last - 1, 1)
  return {
    handfast: 'backup',
    version: formatVersion,
    createdAt: new Date(nowMs).toISOString(),
    createdBy: version,
    registryVersion: snapshot.version,
    root: certificateFingerprint(root.certificate),
    realm: (await settings.find('realm')) ?? '',
    publicName: (await settings.find('public-name')) ?? '',
    lastEvent: event,
    auditHead: await audit.head(),
    holdsPassphrase: passphrase !== null,
  }
}

function* sectionsOf({ snapshot, keys, passphrase }: BackupSource): Generator<SectionSource> {
  for (const section of snapshot.tables) yield { section, rows: snapshot.rows(section.name) }
  yield { section: keySection, rows: group([...keys]) }
  if (passphrase !== null) yield { section: passphraseSection, rows: group([[passphrase.reveal()]]) }
}

async function* group(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}
