/**
 * The registry as plain tables, for backups and for whoever looks at all of it: everything as it was at one moment, while
 * others go on writing, and the way to fill an empty registry with it again. The names of tables and columns are those of
 * the registry's version; values are the same whatever the database is.
 */
import type { Store } from './store.ts'

export type Cell = string | number | null | Uint8Array

/** The cells of one row, in the order of the table's columns. */
export type Row = readonly Cell[]

export const cellKinds = ['text', 'integer', 'bytes'] as const
export type CellKind = (typeof cellKinds)[number]

export interface TableShape {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly kind: CellKind }[]
}

/** What of the registry is asked for by name. */
export type SnapshotReader = Pick<
  Store,
  'authorities' | 'crls' | 'profiles' | 'policies' | 'settings' | 'sealedKeys' | 'events' | 'audit'
>

export interface RegistrySnapshot {
  /** The version of the schema, counted from 1. */
  readonly version: number
  /** The same moment, as the hub sees it. */
  readonly registry: SnapshotReader
  /** All tables that belong into a backup, each behind those that it refers to. */
  readonly tables: readonly TableShape[]
  /**
   * The rows of a table, in groups, ordered by its key, or by the columns that are named.
   *
   * @param by columns that together tell every row from every other; text is compared by code points
   */
  rows(table: string, by?: readonly string[]): AsyncIterable<readonly Row[]>
  close(): Promise<void>
}

/** Fills a registry, all or nothing: until `finish` is fulfilled nobody sees any of it. */
export interface RegistryRestorer {
  /** The tables of that version, for comparison with what is about to come. */
  readonly tables: readonly TableShape[]
  /** Rows of a table, in the order of the tables. */
  insert(table: string, rows: readonly Row[]): Promise<void>
  insertSealedKeys(keys: ReadonlyMap<string, string>): Promise<void>
  /** Sets a setting, in place of one that came with the rows. */
  setSetting(name: string, value: string): Promise<void>
  /**
   * Brings the registry to the version of this program and puts it on disk.
   *
   * @throws HubError `backup-damaged` when rows refer to others that are missing
   */
  finish(): Promise<void>
  /** Leaves everything as it was. */
  abandon(): Promise<void>
}
