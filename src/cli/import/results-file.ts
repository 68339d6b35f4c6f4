/**
 * Where the results of an import are kept, a line each, with the bootstrap strings in them: only the user may read it. The
 * first line says which import it is and holds its idempotency key, so that the same command goes on with it; the last one
 * has the counts and stands there when the import is complete.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { ImportRowView, ImportSummaryView } from '../../api-schema/bulk.ts'
import { HubError, quote } from '../../core/errors.ts'
import { unwritable } from '../../core/unwritable.ts'

/** What tells one import from another. */
export interface ImportIdentity {
  /** SHA-256 of what is imported, hexadecimal. */
  readonly sha256: string
  readonly format: string
  readonly dryRun: boolean
  /** Null where no tokens are made. */
  readonly tokenLifetimeSec: number | null
  /** Fingerprint of the root of the hub. */
  readonly hub: string
}

interface Head extends ImportIdentity {
  readonly key: string
}

export interface ResultsFile {
  readonly path: string
  /** The idempotency key of this import. */
  readonly key: string
  /** What it held already, in order. */
  readonly rows: readonly ImportRowView[]
  /** True when the import was complete before. */
  readonly isComplete: boolean
  /** Adds rows; they are there when the process ends in whatever way. */
  append(rows: readonly ImportRowView[]): void
  /** Adds the last line; everything is on disk then. */
  complete(summary: ImportSummaryView): void
  close(): void
}

/**
 * Makes the file, or opens the one of the same import.
 *
 * @param newKey the key of an import that begins now
 * @throws HubError `results-file-unusable` for a file of something else, or one that cannot be written
 */
export function openResultsFile(path: string, identity: ImportIdentity, newKey: string): ResultsFile {
  const file = made(path)
  if (file !== null) {
    const head: Head = { key: newKey, ...identity }
    attempted(path, () => writeLines(file, [{ import: head }]))
    return opened(path, file, { head, rows: [], isComplete: false })
  }
  const content = contentOf(path, identity)
  const again = attempted(path, () => openSync(path, 'a'))
  // A line that was cut off in the midst is written again.
  ftruncateSync(again, content.bytes)
  return opened(path, again, content)
}

function made(path: string): number | null {
  try {
    return openSync(path, 'ax', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null
    throw unusable(path, error)
  }
}

interface Content {
  readonly head: Head
  readonly rows: readonly ImportRowView[]
  readonly isComplete: boolean
}

function opened(path: string, file: number, { head, rows, isComplete }: Content): ResultsFile {
  return {
    path,
    key: head.key,
    rows,
    isComplete,
    append: (added) => attempted(path, () => writeLines(file, added)),
    complete: (summary) =>
      attempted(path, () => {
        writeLines(file, [summary])
        fsyncSync(file)
      }),
    close: () => closeSync(file),
  }
}

/** @throws HubError `results-file-unusable` unless the file is of this import */
function contentOf(path: string, identity: ImportIdentity): Content & { readonly bytes: number } {
  const text = attempted(path, () => readFileSync(path, 'utf8'))
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  const lines = whole.split('\n').slice(0, -1).map(parsed)
  const head = (lines[0] as { readonly import?: Head } | null)?.import
  if (typeof head !== 'object' || typeof head.key !== 'string') throw foreign(path, 'is no results file of an import')
  for (const name of ['sha256', 'format', 'dryRun', 'tokenLifetimeSec', 'hub'] as const) {
    if (head[name] !== identity[name]) throw foreign(path, `holds the results of another import: ${differs[name]}`)
  }
  const rows = lines.slice(1).filter((line): line is ImportRowView => line !== null && 'row' in line)
  if (rows.some(({ row }, index) => row !== index + 1)) throw foreign(path, 'is damaged')
  const isComplete = lines.length > 1 && lines.at(-1) !== null && 'summary' in (lines.at(-1) as object)
  return { head, rows, isComplete, bytes: Buffer.byteLength(whole) }
}

const differs: Readonly<Record<keyof ImportIdentity, string>> = {
  sha256: 'what is imported has changed',
  format: 'its format was another',
  dryRun: 'one of the two is a dry run',
  tokenLifetimeSec: 'tokens were asked for otherwise',
  hub: 'it went to another hub',
}

function parsed(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

function writeLines(file: number, lines: readonly object[]): void {
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  // A disk that fills up takes a part and says so only when it is asked for more.
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}

function foreign(path: string, fault: string): HubError {
  return new HubError('results-file-unusable', `the file ${quote(path)} ${fault}`, {
    hint: 'name another file with --out, or move this one away; it may hold bootstrap strings',
  })
}

function attempted<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unusable(path, error)
  }
}

function unusable(path: string, error: unknown): HubError {
  return new HubError('results-file-unusable', `the file ${quote(path)} ${unwritable(error)}`, {
    hint: 'name a file in a folder that exists and that this user may write to',
    cause: error,
  })
}
