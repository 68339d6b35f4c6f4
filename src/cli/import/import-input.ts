/** What is imported: a file or standard input, whole. */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { extname } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { unreadable } from '../../core/unreadable.ts'

export const importFormats = ['csv', 'ndjson'] as const
export type ImportFormat = (typeof importFormats)[number]

export interface ImportInput {
  readonly bytes: Buffer
  readonly format: ImportFormat
  /** SHA-256 of the bytes, hexadecimal. */
  readonly sha256: string
  /** Rows that it seems to have, for a progress bar: the hub counts them itself. */
  readonly rows: number
}

/**
 * @param path a file, or "-" for standard input
 * @param format null to tell by the ending of the name, or else by the first character
 * @throws HubError `usage` for a file that cannot be read, `request-too-large`
 */
export async function readInput(path: string, format: ImportFormat | null): Promise<ImportInput> {
  const bytes = path === '-' ? await readStandardInput() : readFile(path)
  const told = format ?? formatOf(path, bytes)
  const lines = countLines(bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { bytes, format: told, sha256, rows: Math.max(0, told === 'csv' ? lines - 1 : lines) }
}

function readFile(path: string): Buffer {
  try {
    if (statSync(path).size > limits.importBodyBytesMax) throw tooLarge(quote(path))
    return readFileSync(path)
  } catch (error) {
    if (error instanceof HubError) throw error
    const { words, hint } = unreadable(error)
    throw new HubError('usage', `the file ${quote(path)} ${words}`, { hint, cause: error })
  }
}

async function readStandardInput(): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    bytes += chunk.length
    if (bytes > limits.importBodyBytesMax) throw tooLarge('standard input')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(what: string): HubError {
  return new HubError(
    'request-too-large',
    `${what} is larger than ${limits.importBodyBytesMax.toLocaleString('en')} bytes`,
    {
      hint: 'split it, and import the parts one after the other',
    },
  )
}

const endings: Readonly<Record<string, ImportFormat>> = { '.csv': 'csv', '.ndjson': 'ndjson', '.jsonl': 'ndjson' }

/** The format that a name says, or null. */
export function formatNamed(path: string): ImportFormat | null {
  return endings[extname(path).toLowerCase()] ?? null
}

function formatOf(path: string, bytes: Buffer): ImportFormat {
  const start = bytes
    .toString('latin1', 0, 1_024)
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
  return formatNamed(path) ?? (start.startsWith('{') ? 'ndjson' : 'csv')
}

function countLines(bytes: Buffer): number {
  let lines = 0
  let from = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
    const isEmpty = at === from || (at === from + 1 && bytes[from] === 13)
    if (!isEmpty) lines += 1
    from = at + 1
  }
  return from < bytes.length ? lines + 1 : lines
}
