/** Reading the segments of a folder, and what is wrong with them as a whole. */
import { HubError, quote } from '../core/errors.ts'
import type { PlacedEntry } from '../hub/ports/journal.ts'
import type { JournalFiles } from './journal-files.ts'
import {
  damaged,
  headerBytesMax,
  readHeader,
  readSegment,
  type Segment,
  type SegmentHeader,
  segmentName,
  segmentNumber,
} from './segment.ts'

/** The headers of all segments, in order. A last file whose header a crash has cut is left out: it held nothing. */
export async function readHeaders(files: JournalFiles): Promise<readonly SegmentHeader[]> {
  const numbers = (await reading(files, () => files.list()))
    .map(segmentNumber)
    .filter((number) => number !== null)
    .sort((a, b) => a - b)
  const headers: SegmentHeader[] = []
  for (const [index, number] of numbers.entries()) {
    const name = segmentName(number)
    const expected = (numbers[0] ?? 0) + index
    if (number !== expected) throw damaged(segmentName(expected), 'it is gone')
    const header = readHeader(name, await reading(files, () => files.readStart(name, headerBytesMax)))
    if (header !== null) headers.push(header)
    else if (index < numbers.length - 1) throw damaged(name, 'its first line is not the header of a journal')
  }
  const [first] = headers
  const stranger = headers.find(({ journal, hub }) => journal !== first?.journal || hub !== first?.hub)
  if (stranger !== undefined) throw damaged(segmentName(stranger.segment), 'it belongs to another journal')
  return headers
}

export async function loadSegment(files: JournalFiles, number: number): Promise<Segment> {
  const name = segmentName(number)
  const segment = readSegment(name, await reading(files, () => files.read(name)))
  if (segment === null) throw damaged(name, 'its first line is not the header of a journal')
  return segment
}

/** The groups of a segment with the places of their entries. */
export function placed({ header, groups }: Segment): readonly (readonly PlacedEntry[])[] {
  let { place } = header
  return groups.map((group) => group.map((entry) => ({ place: ++place, entry })))
}

async function reading<T>(files: JournalFiles, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new HubError('journal-unavailable', `the journal in ${quote(files.place)} cannot be read`, { cause })
  }
}
