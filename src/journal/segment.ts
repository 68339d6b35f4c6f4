/**
 * A segment of the journal: a file whose first line is its header and whose every other line is a group of entries that was
 * synced together. The next line is written only after that sync, so a line that is broken and has another behind it was
 * whole once: the file is damaged. A broken line that is the last was never acknowledged: a crash cut it.
 */
import { HubError, quote } from '../core/errors.ts'
import type { JournalEntry } from '../hub/ports/journal.ts'
import { entryFromJson, entryToJson } from './entry-json.ts'
import { jsonOf, type LineHash, lineHash, lineOf } from './line.ts'

export interface SegmentHeader {
  readonly version: 1
  /** The journal that it belongs to. */
  readonly journal: string
  /** Fingerprint of the root of the hub. */
  readonly hub: string
  /** Counted from 1 without gaps. */
  readonly segment: number
  /** The place of the entry before its first, and the highest number of an event up to there. */
  readonly place: number
  readonly event: number
  /** The hash of the line before, which is the last of the segment before. */
  readonly previous: LineHash
  readonly startedAtMs: number
}

export interface Segment {
  readonly header: SegmentHeader
  readonly groups: readonly (readonly JournalEntry[])[]
  /** The hash of its last line. */
  readonly hash: LineHash
  /** Where its last whole line ends, in bytes. */
  readonly wholeBytes: number
  /** What stands behind that: the rest of a line that a crash cut. */
  readonly tornBytes: number
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.journal`
}

/** The number of a segment's file, or null for another file. */
export function segmentNumber(name: string): number | null {
  const match = /^([0-9]{8})\.journal$/.exec(name)
  return match === null ? null : Number(match[1])
}

/** A line for a file, and its hash. */
export interface SealedLine {
  readonly bytes: Uint8Array
  readonly hash: LineHash
}

export function headerLine(header: SegmentHeader): SealedLine {
  return sealed(header.previous, JSON.stringify(header))
}

export function groupLine(previous: LineHash, entries: readonly JournalEntry[]): SealedLine {
  return sealed(previous, JSON.stringify(entries.map(entryToJson)))
}

function sealed(previous: LineHash, json: string): SealedLine {
  const hash = lineHash(previous, json)
  return { bytes: Buffer.from(lineOf(hash, json), 'utf8'), hash }
}

/** Bytes of a file that surely hold its header. */
export const headerBytesMax = 4_096

/** The header at the start of a segment's bytes, or null where it is cut or none. */
export function readHeader(name: string, bytes: Uint8Array): SegmentHeader | null {
  const first = wholeLines(bytes).next()
  const header = first.done ? null : headerFrom(first.value.text)
  if (header !== null && header.version !== 1) {
    throw damaged(name, `it is of version ${quote(header.version)}, and this Handfast knows version 1`)
  }
  return header
}

/**
 * Reads a segment.
 *
 * @param name names the file in errors
 * @returns null where not even the header is whole: a crash cut the file when it was made
 * @throws HubError `journal-damaged` for a line that is broken and not the last, and for one that is no group of entries
 */
export function readSegment(name: string, bytes: Uint8Array): Segment | null {
  const lines = wholeLines(bytes)
  const first = lines.next()
  if (first.done) return null
  const header = readHeader(name, bytes)
  if (header === null) {
    if (!lines.next().done) throw damaged(name, 'its first line is not the header of a journal')
    return null
  }
  const groups: (readonly JournalEntry[])[] = []
  let { hash } = headerLine(header)
  let wholeBytes = first.value.end
  for (const { text, end } of lines) {
    const opened = jsonOf(text, hash)
    if (opened === null) {
      if (end < bytes.length) throw damaged(name, `its line at byte ${wholeBytes} has been changed`)
      break
    }
    groups.push(groupFrom(name, opened.json, wholeBytes))
    hash = opened.hash
    wholeBytes = end
  }
  return { header, groups, hash, wholeBytes, tornBytes: bytes.length - wholeBytes }
}

function* wholeLines(bytes: Uint8Array): Generator<{ readonly text: string; readonly end: number }, undefined> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let start = 0
  for (let end = buffer.indexOf(10); end !== -1; end = buffer.indexOf(10, start)) {
    yield { text: buffer.toString('utf8', start, end), end: end + 1 }
    start = end + 1
  }
  return undefined
}

/** A header vouches for itself: it names the hash before it. */
function headerFrom(line: string): SegmentHeader | null {
  try {
    const value = JSON.parse(line.slice(65)) as SegmentHeader
    return jsonOf(line, String(value.previous)) === null ? null : value
  } catch {
    return null
  }
}

function groupFrom(name: string, json: string, at: number): readonly JournalEntry[] {
  const value: unknown = JSON.parse(json)
  const entries = Array.isArray(value) ? value.map(entryFromJson) : [null]
  return entries.map((entry) => {
    if (entry === null) throw damaged(name, `its line at byte ${at} holds no entries`)
    return entry
  })
}

/** @param what a sentence about the file */
export function damaged(name: string, what: string): HubError {
  return new HubError('journal-damaged', `the file ${quote(name)} of the journal cannot be used: ${what}`)
}
