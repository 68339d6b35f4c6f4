/**
 * A backup as lines of JSON: a manifest; sections, each a heading, rows and an ending with their count and hash; and a last
 * line that vouches for all of these. Rows are arrays in the order of the heading's columns; bytes are base64. Nothing in it
 * depends on the database that it came from.
 */
import { createHash, type Hash } from 'node:crypto'
import { HubError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { HubEvent } from '../hub/ports/events.ts'
import { type Cell, type CellKind, cellKinds, type Row, type TableShape } from '../hub/ports/snapshot.ts'

/** What stands at the start of a backup. */
export interface Manifest {
  readonly handfast: 'backup'
  /** The version of this format. */
  readonly version: 1
  readonly createdAt: string
  /** The version of the Handfast that wrote it. */
  readonly createdBy: string
  /** The version of the registry's tables. */
  readonly registryVersion: number
  /** Fingerprint of the root, lower-case hexadecimal. */
  readonly root: string
  readonly realm: string
  readonly publicName: string
  /** The last event and the head of the audit log, as the registry had them. */
  readonly lastEvent: HubEvent | null
  readonly auditHead: { readonly number: number; readonly hash: string }
  /** Whether the generated passphrase of the authority keys is in it. */
  readonly holdsPassphrase: boolean
}

export const formatVersion = 1

/** Sections that are no tables of the registry. */
export const keySection: TableShape = {
  name: '@keys',
  columns: [
    { name: 'name', kind: 'text' },
    { name: 'content', kind: 'text' },
  ],
}
export const passphraseSection: TableShape = { name: '@passphrase', columns: [{ name: 'passphrase', kind: 'text' }] }

export type BackupPart =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'heading'; readonly section: TableShape }
  | { readonly kind: 'row'; readonly row: Row }
  | { readonly kind: 'ending'; readonly section: string; readonly rows: number }
  /** The last part: the backup is whole. */
  | { readonly kind: 'end' }

/** One section on its way into a backup. */
export interface SectionSource {
  readonly section: TableShape
  readonly rows: AsyncIterable<readonly Row[]>
}

/** The text of a backup, in pieces. */
export async function* backupText(manifest: Manifest, sections: Iterable<SectionSource>): AsyncGenerator<string> {
  const all = createHash('sha256')
  const control = (value: unknown): string => {
    const line = `${JSON.stringify(value)}\n`
    all.update(line)
    return line
  }
  yield control(manifest)
  let count = 0
  for (const { section, rows } of sections) {
    yield control({ section: section.name, columns: section.columns.map(({ name, kind }) => [name, kind]) })
    const hash = createHash('sha256')
    let written = 0
    for await (const group of rows) {
      const text = group.map((row) => `${JSON.stringify(row.map(cellToJson))}\n`).join('')
      hash.update(text)
      written += group.length
      yield text
    }
    yield control({ end: section.name, rows: written, sha256: hash.digest('hex') })
    count += 1
  }
  yield `${JSON.stringify({ end: 'backup', sections: count, sha256: all.digest('hex') })}\n`
}

function cellToJson(cell: Cell): unknown {
  return cell instanceof Uint8Array ? Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString('base64') : cell
}

/** Reads the lines of a backup one by one; every part that comes out has been checked as far as it goes. */
export class BackupReading {
  readonly #all = createHash('sha256')
  #manifest: Manifest | null = null
  #section: TableShape | null = null
  #hash: Hash = createHash('sha256')
  #rows = 0
  #sections = 0
  #isWhole = false

  /** @throws HubError `backup-damaged`, `backup-too-new` */
  take(line: string): BackupPart {
    if (this.#isWhole) throw damaged('something stands behind its end')
    if (line.startsWith('[')) return this.#takeRow(line)
    const value = parsed(line)
    if (this.#manifest === null) {
      this.#manifest = manifestFrom(value)
      this.#all.update(`${line}\n`)
      return { kind: 'manifest', manifest: this.#manifest }
    }
    if (typeof value.section === 'string') return this.#takeHeading(line, value)
    return value.end === 'backup' && this.#section === null ? this.#takeEnd(value) : this.#takeEnding(line, value)
  }

  /** @throws HubError `backup-damaged` unless the last part was the end */
  assertWhole(): void {
    if (!this.#isWhole) throw damaged('it is cut off')
  }

  #takeRow(line: string): BackupPart {
    const section = this.#section
    if (section === null) throw damaged('a row stands outside a section')
    this.#hash.update(`${line}\n`)
    this.#rows += 1
    const row = rowFrom(parsedJson(line), section)
    if (row === null) throw damaged(`row ${this.#rows} of ${section.name} does not fit its columns`)
    return { kind: 'row', row }
  }

  #takeHeading(line: string, value: Fields): BackupPart {
    const section = sectionFrom(value)
    if (section === null || this.#section !== null) throw damaged('a section does not begin as it should')
    this.#all.update(`${line}\n`)
    this.#section = section
    this.#hash = createHash('sha256')
    this.#rows = 0
    return { kind: 'heading', section }
  }

  #takeEnding(line: string, value: Fields): BackupPart {
    const section = this.#section
    const isRight =
      section !== null &&
      value.end === section.name &&
      value.rows === this.#rows &&
      value.sha256 === this.#hash.digest('hex')
    if (!isRight) throw damaged(`the section ${section?.name ?? 'that ends'} is not what was written`)
    this.#all.update(`${line}\n`)
    this.#section = null
    this.#sections += 1
    return { kind: 'ending', section: section.name, rows: this.#rows }
  }

  #takeEnd(value: Fields): BackupPart {
    if (value.sections !== this.#sections || value.sha256 !== this.#all.digest('hex')) {
      throw damaged('its last line does not vouch for it')
    }
    this.#isWhole = true
    return { kind: 'end' }
  }
}

type Fields = Readonly<Record<string, unknown>>

function manifestFrom(value: Fields): Manifest {
  if (value.handfast !== 'backup') throw damaged('its first line is not that of a backup')
  if (value.version !== formatVersion) {
    throw new HubError('backup-too-new', `the backup is of format ${JSON.stringify(value.version)}`)
  }
  const manifest = value as unknown as Manifest
  const isWhole =
    Number.isSafeInteger(manifest.registryVersion) &&
    [manifest.createdAt, manifest.createdBy, manifest.root, manifest.realm, manifest.publicName].every(
      (text) => typeof text === 'string' && text.length <= 256,
    ) &&
    (manifest.lastEvent === null || Number.isSafeInteger(manifest.lastEvent?.number)) &&
    Number.isSafeInteger(manifest.auditHead?.number)
  if (!isWhole) throw damaged('its first line lacks something')
  return manifest
}

function sectionFrom({ section, columns }: Fields): TableShape | null {
  if (typeof section !== 'string' || !Array.isArray(columns)) return null
  const shapes = columns.map((column: unknown) => {
    const [name, kind] = Array.isArray(column) ? column : []
    return typeof name === 'string' && cellKinds.includes(kind) ? { name, kind: kind as CellKind } : null
  })
  return shapes.includes(null) ? null : { name: section, columns: shapes.filter((shape) => shape !== null) }
}

function rowFrom(value: unknown, { columns }: TableShape): Row | null {
  if (!Array.isArray(value) || value.length !== columns.length) return null
  const cells = columns.map(({ kind }, index) => cellFrom(value[index], kind))
  return cells.includes(undefined) ? null : (cells as Row)
}

function cellFrom(value: unknown, kind: CellKind): Cell | undefined {
  if (value === null) return null
  if (kind === 'integer') return Number.isSafeInteger(value) ? (value as number) : undefined
  if (typeof value !== 'string') return undefined
  return kind === 'text' ? value : new Uint8Array(Buffer.from(value, 'base64'))
}

function parsed(line: string): Fields {
  const value = parsedJson(line)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw damaged('a line is no part of a backup')
}

function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw damaged('a line is not JSON')
  }
}

/** The lines of a text that comes in pieces; a line that does not end is cut off. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const piece of pieces) {
    let text: string
    try {
      text = decoder.decode(piece, { stream: true })
    } catch {
      throw damaged('it is not UTF-8')
    }
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > limits.backupLineCharsMax) throw damaged('a line is too long')
    yield* lines
  }
  if (rest !== '') throw damaged('it is cut off')
}

/** @param what a sentence about the backup */
export function damaged(what: string, cause?: unknown): HubError {
  return new HubError('backup-damaged', `the backup cannot be used: ${what}`, cause === undefined ? {} : { cause })
}
