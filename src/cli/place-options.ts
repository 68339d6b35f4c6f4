/** The options of commands that work on a registry itself, beside a hub or without one: where it is and what opens it. */
import type { Command } from 'commander'
import { resolveConfig } from '../config/resolve.ts'

type HubConfig = ReturnType<typeof resolveConfig>

export interface PlaceOptions {
  readonly data?: string
  readonly databaseUrlFile?: string
  readonly passphraseFile?: string
  readonly journal?: string
  readonly config?: string
  readonly json?: boolean
}

/** @param withJournal whether the command asks the journal, too */
export function addPlaceOptions(command: Command, withJournal: boolean): Command {
  command
    .option('--data <dir>', 'data directory of the hub (or HANDFAST_DATA; default ./data)')
    .option('--database-url-file <file>', 'URL of a PostgreSQL database (or HANDFAST_DATABASE_URL; default SQLite)')
    .option('--passphrase-file <file>', 'passphrase of the authority keys (or HANDFAST_PASSPHRASE)')
  if (withJournal) command.option('--journal <dir>', 'folder of the journal (default <data>/journal)')
  return command
    .option('--config <file>', 'settings in YAML (default handfast.yaml, if it is there)')
    .option('--json', 'print JSON')
}

/** @throws HubError `config-invalid` */
export function placeOf(options: PlaceOptions): HubConfig {
  const { data, databaseUrlFile, passphraseFile, journal, config } = options
  const resolved = resolveConfig({
    flags: { data, 'database-url-file': databaseUrlFile, 'passphrase-file': passphraseFile, journal },
    env: process.env,
    file: config ?? (process.env.HANDFAST_CONFIG || null),
    directory: process.cwd(),
  })
  // Reports of crashes copy the environment.
  for (const secret of ['HANDFAST_PASSPHRASE', 'HANDFAST_DATABASE_URL']) delete process.env[secret]
  return resolved
}

export interface OpeningOptions {
  readonly identity?: readonly string[]
  readonly decryptPassphraseFile?: string
}

/** What opens an encrypted backup. */
export function addOpeningOptions(command: Command): Command {
  return command
    .option('--identity <file>', 'age identity that opens the backup, may be repeated', collected)
    .option('--decrypt-passphrase-file <file>', 'passphrase that opens the backup')
}

/** A value of an option that may be repeated. */
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
