/**
 * The journal in a folder: segments of lines, of which only the last grows. What `append` has acknowledged is on disk; what
 * a crash cut off behind it is removed when the journal is opened.
 */
import { assert, HubError, quote } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Clock } from '../hub/ports/clock.ts'
import type { Journal, JournalEntry, PlacedEntry } from '../hub/ports/journal.ts'
import type { JournalFile, JournalFiles } from './journal-files.ts'
import { journalStart, type LineHash } from './line.ts'
import { loadSegment, placed, readHeaders } from './read-segments.ts'
import { damaged, groupLine, headerLine, type Segment, type SegmentHeader, segmentName } from './segment.ts'

export interface JournalOptions {
  readonly files: JournalFiles
  readonly clock: Clock
  /** How long a full segment is kept, counted from the start of the next one, in milliseconds. */
  readonly keptMs: number
  /** A segment that is longer than this is followed by a new one. */
  readonly segmentBytesMax?: number
}

/**
 * Opens the journal of a folder. Nothing is changed by that: the rest of a line that a crash cut is passed over, and removed
 * by the first append. The last segment is read, of the others the headers; they are read when their entries are asked for.
 *
 * @returns null where there is none
 * @throws HubError `journal-damaged`; `journal-unavailable` when the folder cannot be read
 */
export async function openJournal(options: JournalOptions): Promise<Journal | null> {
  const { files } = options
  const headers = await readHeaders(files)
  const newest = headers.at(-1)
  if (newest === undefined) return null
  const last = await loadSegment(files, newest.segment)
  const tip = {
    segment: newest.segment,
    hash: last.hash,
    place: newest.place + last.groups.reduce((sum, group) => sum + group.length, 0),
    event: highestOf(last.groups.flat(), newest.event),
    bytes: last.wholeBytes,
  }
  return new FileJournal(options, newest.journal, newest.hub, headers, tip)
}

/**
 * Begins a journal in a folder that has none.
 *
 * @param begun `hub` is the fingerprint of the root of the hub, `event` the number of the registry's last event: the journal
 *   begins behind it
 * @throws HubError `journal-unavailable`
 */
export async function beginJournal(
  options: JournalOptions,
  begun: { readonly id: string; readonly hub: string; readonly event: number },
): Promise<Journal> {
  const tip = { segment: 0, hash: journalStart, place: 0, event: begun.event, bytes: 0 }
  const journal = new FileJournal(options, begun.id, begun.hub, [], tip)
  await journal.append([])
  return journal
}

/** Where a journal ends: all that its next line needs. */
interface Tip {
  readonly segment: number
  readonly hash: LineHash
  /** Of the last entry. */
  readonly place: number
  /** The highest number of an event so far. */
  readonly event: number
  /** The length of the last segment up to here. */
  readonly bytes: number
}

class FileJournal implements Journal {
  readonly id: string
  readonly hub: string
  readonly #options: JournalOptions
  /** Of the segments that there are, in order. */
  #headers: readonly SegmentHeader[]
  #tip: Tip
  #file: JournalFile | null = null
  /** False while what was found at the opening may be in the memory of the kernel alone. */
  #isSure: boolean
  /** After a failure, bytes behind the tip may be on disk or not. */
  #hasFailed = false

  constructor(options: JournalOptions, id: string, hub: string, headers: readonly SegmentHeader[], tip: Tip) {
    this.#options = options
    this.id = id
    this.hub = hub
    this.#headers = headers
    this.#tip = tip
    this.#isSure = headers.length === 0
  }

  get start(): Journal['start'] {
    const { place, event } = this.#headers[0] ?? this.#tip
    return { place, event }
  }

  get end(): number {
    return this.#tip.place
  }

  get highest(): number {
    return this.#tip.event
  }

  async append(entries: readonly JournalEntry[]): Promise<void> {
    assert(entries.length <= limits.journalGroupMax, `${entries.length} entries are too many for one group`)
    const { segmentBytesMax = limits.journalSegmentBytesMax } = this.#options
    await this.#writing(async () => {
      if (!this.#isSure) await this.#makeSure()
      else if (this.#hasFailed) await this.#cutBack()
      // After a failed sync the old file is not trusted to take more.
      if (this.#hasFailed || this.#headers.length === 0 || this.#tip.bytes >= segmentBytesMax)
        await this.#beginSegment()
      this.#hasFailed = false
      if (entries.length > 0) await this.#writeGroup(entries)
    })
  }

  async *after(place: number): AsyncGenerator<readonly PlacedEntry[]> {
    const end = this.end
    const from = Math.max(
      0,
      this.#headers.findLastIndex((header) => header.place <= place),
    )
    let previous: LineHash | null = null
    for (const { segment: number } of this.#headers.slice(from)) {
      const segment = await this.#load(number)
      if (previous !== null && segment.header.previous !== previous) {
        throw damaged(segmentName(number), 'it does not continue the file before it')
      }
      previous = segment.hash
      for (const group of placed(segment)) {
        const wanted = group.filter((each) => each.place > place && each.place <= end)
        if (wanted.length > 0) yield wanted
      }
    }
  }

  async *newestFirst(): AsyncGenerator<PlacedEntry> {
    for (const { segment } of this.#headers.toReversed())
      yield* placed(await this.#load(segment))
        .flat()
        .toReversed()
  }

  close(): Promise<void> {
    return this.#drop()
  }

  async #writing(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (cause) {
      this.#hasFailed = true
      await this.#drop()
      const { place } = this.#options.files
      throw new HubError('journal-unavailable', `the journal in ${quote(place)} cannot be written`, { cause })
    }
  }

  async #writeGroup(entries: readonly JournalEntry[]): Promise<void> {
    const { segment, hash, place, event, bytes } = this.#tip
    const line = groupLine(hash, entries)
    this.#file ??= await this.#options.files.open(segmentName(segment))
    await this.#file.write(line.bytes, bytes)
    await this.#file.sync()
    this.#tip = {
      segment,
      hash: line.hash,
      place: place + entries.length,
      event: highestOf(entries, event),
      bytes: bytes + line.bytes.length,
    }
  }

  async #beginSegment(): Promise<void> {
    const { files, clock } = this.#options
    await this.#drop()
    const { hash: previous, place, event } = this.#tip
    const segment = this.#tip.segment + 1
    const header: SegmentHeader = {
      version: 1,
      journal: this.id,
      hub: this.hub,
      segment,
      place,
      event,
      previous,
      startedAtMs: clock.nowMs(),
    }
    const line = headerLine(header)
    this.#file = await files.create(segmentName(segment))
    await this.#file.write(line.bytes, 0)
    await this.#file.sync()
    await files.syncNames()
    this.#headers = [...this.#headers, header]
    this.#tip = { segment, hash: line.hash, place, event, bytes: line.bytes.length }
    await this.#letGo()
  }

  /**
   * Cuts off what stands behind the last whole line and puts what stands before it on disk. It is written again, because
   * what the kernel shows may be what a sync has failed to write: the next sync would leave it out.
   */
  async #makeSure(): Promise<void> {
    const { files } = this.#options
    const bytes = await files.read(segmentName(this.#tip.segment))
    await this.#cutBack(bytes.subarray(0, this.#tip.bytes))
    await files.syncNames()
    this.#isSure = true
  }

  /** @param again what to write from the start of the segment on */
  async #cutBack(again: Uint8Array = new Uint8Array()): Promise<void> {
    if (this.#headers.length === 0) return
    const file = await this.#options.files.open(segmentName(this.#tip.segment))
    try {
      await file.truncate(this.#tip.bytes)
      await file.write(again, 0)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Removes segments whose successor was begun long ago. */
  async #letGo(): Promise<void> {
    const { files, clock, keptMs } = this.#options
    for (;;) {
      const [oldest, next] = this.#headers
      if (oldest === undefined || next === undefined || clock.nowMs() - next.startedAtMs < keptMs) return
      await files.remove(segmentName(oldest.segment))
      this.#headers = this.#headers.slice(1)
    }
  }

  async #drop(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close().catch(() => {})
  }

  async #load(number: number): Promise<Segment> {
    const segment = await loadSegment(this.#options.files, number)
    if (number !== this.#tip.segment && segment.tornBytes > 0)
      throw damaged(segmentName(number), 'its last line is cut')
    return segment
  }
}

function highestOf(entries: readonly JournalEntry[], before: number): number {
  return entries.reduce((highest, { number }) => Math.max(highest, number), before)
}
