/** Filling a registry and a place for keys from a backup. */
import { quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { Secret } from '../core/secret.ts'
import type { RegistryRestorer, Row, TableShape } from '../hub/ports/snapshot.ts'
import { readBackupFile } from './backup-file.ts'
import { type BackupPart, damaged, keySection, type Manifest, passphraseSection } from './lines.ts'
import type { Keyring } from './sealing.ts'

/** What a backup holds beside the registry. */
export interface RestoredKeys {
  /** Sealed keys by the names of their files. */
  readonly keys: ReadonlyMap<string, string>
  readonly passphrase: Secret | null
}

/** What was read of a backup that is whole. */
export interface BackupSummary {
  readonly manifest: Manifest
  /** Rows by table, keys and passphrase among them. */
  readonly rows: ReadonlyMap<string, number>
}

/**
 * Reads all of a backup and keeps none of it.
 *
 * @throws HubError `backup-damaged`, `backup-sealed`, `backup-too-new`
 */
export async function readBackupSummary(path: string, keyring: Keyring): Promise<BackupSummary> {
  const summary = new Summary()
  for await (const part of readBackupFile(path, keyring)) summary.take(part)
  return summary.whole()
}

export interface RestoreOrder {
  readonly path: string
  readonly keyring: Keyring
  /** Gives an empty registry of the version that the backup is of. */
  open(manifest: Manifest): Promise<RegistryRestorer>
  /** Whether the sealed keys go into the registry too, for processes that share it. */
  readonly withSealedKeys: boolean
  /** Set in the restored registry, in place of those that the backup holds. */
  readonly settings: ReadonlyMap<string, string>
  /** Called when all of the backup was read and before anything is final; what it throws leaves everything as it was. */
  confirm?(keys: RestoredKeys): Promise<void>
}

/**
 * Fills a registry from a backup. Nothing of it is seen before the last line of the backup was read, and nothing is left when
 * anything fails.
 *
 * @throws HubError as {@link readBackupSummary}; `backup-damaged` also where its rows do not fit the registry
 */
export async function restoreBackup(order: RestoreOrder): Promise<BackupSummary & RestoredKeys> {
  const filling = new Filling(order)
  try {
    for await (const part of readBackupFile(order.path, order.keyring)) await filling.take(part)
    return await filling.finish()
  } catch (error) {
    await filling.abandon()
    throw error
  }
}

class Summary {
  #manifest: Manifest | null = null
  readonly #rows = new Map<string, number>()

  take(part: BackupPart): void {
    if (part.kind === 'manifest') this.#manifest = part.manifest
    if (part.kind === 'ending') this.#rows.set(part.section, part.rows)
  }

  whole(): BackupSummary {
    if (this.#manifest === null) throw damaged('it is empty')
    return { manifest: this.#manifest, rows: this.#rows }
  }
}

class Filling {
  readonly #order: RestoreOrder
  readonly #summary = new Summary()
  readonly #keys = new Map<string, string>()
  #passphrase: Secret | null = null
  #restorer: RegistryRestorer | null = null
  #section: string | null = null
  /** Where in a row of the backup each column of the table stands. */
  #places: readonly number[] = []
  #seen = new Set<string>()
  #waiting: Row[] = []

  constructor(order: RestoreOrder) {
    this.#order = order
  }

  async take(part: BackupPart): Promise<void> {
    this.#summary.take(part)
    switch (part.kind) {
      case 'manifest':
        this.#restorer = await this.#order.open(part.manifest)
        return
      case 'heading':
        this.#begin(part.section)
        return
      case 'row':
        this.#waiting.push(part.row)
        if (this.#waiting.length >= limits.snapshotRowsMax) await this.#flush()
        return
      case 'ending':
        return this.#flush()
      case 'end':
        this.#assertAllSeen()
    }
  }

  async finish(): Promise<BackupSummary & RestoredKeys> {
    const restorer = this.#target()
    for (const [name, value] of this.#order.settings) await restorer.setSetting(name, value)
    if (this.#order.withSealedKeys) await restorer.insertSealedKeys(this.#keys)
    const keys: RestoredKeys = { keys: this.#keys, passphrase: this.#passphrase }
    await this.#order.confirm?.(keys)
    await restorer.finish()
    return { ...this.#summary.whole(), ...keys }
  }

  async abandon(): Promise<void> {
    await this.#restorer?.abandon()
  }

  #begin(section: TableShape): void {
    const known = [...this.#target().tables, keySection, passphraseSection].find(({ name }) => name === section.name)
    if (known === undefined || this.#seen.has(section.name)) {
      throw damaged(`it holds a section ${quote(section.name)} that does not belong there`)
    }
    if (!isSameShape(known, section))
      throw damaged(`the columns of its section ${section.name} are not those of that table`)
    this.#seen.add(section.name)
    this.#section = section.name
    this.#places = known.columns.map(({ name }) => section.columns.findIndex((column) => column.name === name))
  }

  async #flush(): Promise<void> {
    const rows = this.#waiting
    this.#waiting = []
    const name = this.#section
    if (name === null || rows.length === 0) return
    if (name === keySection.name) for (const [key, content] of rows) this.#keys.set(keyName(key), String(content))
    else if (name === passphraseSection.name) this.#passphrase = new Secret(String(rows[0]?.[0]))
    else
      await this.#target().insert(
        name,
        rows.map((row) => this.#places.map((place) => row[place] ?? null)),
      )
  }

  #assertAllSeen(): void {
    const missing = [...this.#target().tables, keySection].find(({ name }) => !this.#seen.has(name))
    if (missing !== undefined) throw damaged(`its section ${missing.name} is missing`)
  }

  #target(): RegistryRestorer {
    if (this.#restorer === null) throw damaged('it has no first line')
    return this.#restorer
  }
}

/** Keys become files of that name: nothing else may come of it. */
function keyName(value: unknown): string {
  if (typeof value === 'string' && /^(?:kek|[a-z0-9-]{1,64}\.key)\.json$/.test(value)) return value
  throw damaged(`it holds a key with the name ${quote(value)}`)
}

function isSameShape(known: TableShape, given: TableShape): boolean {
  const text = ({ columns }: TableShape): string =>
    columns
      .map(({ name, kind }) => `${name} ${kind}`)
      .sort()
      .join()
  return text(known) === text(given)
}
