/**
 * The files of a journal in memory, as harsh as a disk may be: what was not synced can be lost in any part, a sync that
 * failed never comes true later, and every operation can fail.
 */
import type { JournalFile, JournalFiles } from '../../src/journal/journal-files.ts'

/** Decides what goes wrong. Each answer is for one moment. */
export interface Fate {
  /** Whether this operation fails. */
  fails(operation: string): boolean
  /** How much of something that was not synced is on disk after a power cut, or was done before a failure: 0 to 1. */
  share(): number
}

export const kindFate: Fate = { fails: () => false, share: () => 0 }

interface FileState {
  /** What is read now. */
  seen: Buffer
  /** What is on disk for certain. */
  synced: Buffer
  /** What may get to disk by itself, in order, before a power cut. */
  pending: Change[]
}

type Change = { readonly at: number; readonly bytes: Buffer } | { readonly length: number }

export class MemoryFiles implements JournalFiles {
  readonly place = '/memory'
  readonly #fate: Fate
  readonly #files = new Map<string, FileState>()
  /** Names that a power cut takes away again, and removed files that it brings back. */
  readonly #unsyncedNames = new Set<string>()
  readonly #removed = new Map<string, FileState>()

  constructor(fate: Fate = kindFate) {
    this.#fate = fate
  }

  /** What a machine finds that starts after a power cut. */
  afterPowerCut(fate: Fate): MemoryFiles {
    const next = new MemoryFiles(fate)
    const survivors = new Map([...this.#removed, ...this.#files])
    for (const [name, file] of survivors) {
      if (this.#unsyncedNames.has(name) && this.#fate.share() < 0.5) continue
      if (!this.#files.has(name) && this.#fate.share() < 0.5) continue
      let bytes = file.synced
      for (const change of file.pending) bytes = applied(bytes, partOf(change, this.#fate.share()))
      next.#files.set(name, { seen: bytes, synced: bytes, pending: [] })
    }
    return next
  }

  /** What a process finds that starts after another was killed: the kernel kept all that was written. */
  afterKill(fate: Fate): MemoryFiles {
    const next = new MemoryFiles(fate)
    for (const [name, file] of this.#files) next.#files.set(name, { ...file, pending: [...file.pending] })
    for (const name of this.#unsyncedNames) next.#unsyncedNames.add(name)
    for (const [name, file] of this.#removed) next.#removed.set(name, file)
    return next
  }

  /** Changes a byte behind the journal's back. */
  damage(name: string, at: number): void {
    const { seen } = this.#state(name)
    seen[at] = (seen[at] ?? 0) ^ 1
  }

  put(name: string, bytes: Uint8Array): void {
    const seen = Buffer.from(bytes)
    this.#files.set(name, { seen, synced: Buffer.from(bytes), pending: [] })
  }

  async list(): Promise<readonly string[]> {
    this.#mayFail('list')
    return [...this.#files.keys(), 'lock.db']
  }

  async read(name: string): Promise<Uint8Array> {
    this.#mayFail('read')
    return Buffer.from(this.#state(name).seen)
  }

  async readStart(name: string, bytes: number): Promise<Uint8Array> {
    return (await this.read(name)).subarray(0, bytes)
  }

  async open(name: string): Promise<JournalFile> {
    this.#mayFail('open')
    return this.#handle(this.#state(name))
  }

  async create(name: string): Promise<JournalFile> {
    this.#mayFail('create')
    const old = this.#files.get(name)
    if (old === undefined) this.#unsyncedNames.add(name)
    const file = old ?? { seen: Buffer.alloc(0), synced: Buffer.alloc(0), pending: [] }
    file.seen = Buffer.alloc(0)
    file.pending.push({ length: 0 })
    this.#files.set(name, file)
    return this.#handle(file)
  }

  async remove(name: string): Promise<void> {
    this.#mayFail('remove')
    this.#removed.set(name, this.#state(name))
    this.#files.delete(name)
  }

  async syncNames(): Promise<void> {
    this.#mayFail('syncNames')
    this.#unsyncedNames.clear()
    this.#removed.clear()
  }

  #handle(file: FileState): JournalFile {
    const change = (operation: string, asked: Change): void => {
      const isFailing = this.#fate.fails(operation)
      const done = isFailing ? partOf(asked, this.#fate.share()) : asked
      file.seen = applied(file.seen, done)
      file.pending.push(done)
      if (isFailing) throw new Error(`${operation} failed`)
    }
    return {
      write: async (bytes, at) => change('write', { at, bytes: Buffer.from(bytes) }),
      truncate: async (length) => change('truncate', { length }),
      sync: async () => {
        const pending = file.pending
        file.pending = []
        const isFailing = this.#fate.fails('sync')
        for (const each of pending) {
          file.synced = applied(file.synced, isFailing ? partOf(each, this.#fate.share()) : each)
        }
        if (isFailing) throw new Error('sync failed')
      },
      close: async () => {},
    }
  }

  #state(name: string): FileState {
    const file = this.#files.get(name)
    if (file === undefined) throw new Error(`there is no file ${name}`)
    return file
  }

  #mayFail(operation: string): void {
    if (this.#fate.fails(operation)) throw new Error(`${operation} failed`)
  }
}

function applied(bytes: Buffer, change: Change): Buffer {
  if ('length' in change) {
    return change.length <= bytes.length
      ? Buffer.from(bytes.subarray(0, change.length))
      : Buffer.concat([bytes, Buffer.alloc(change.length - bytes.length)])
  }
  const result = Buffer.alloc(Math.max(bytes.length, change.at + change.bytes.length))
  bytes.copy(result)
  change.bytes.copy(result, change.at)
  return result
}

/** A truncation happens or not; of a write, the first bytes. */
function partOf(change: Change, share: number): Change {
  if ('length' in change) return share < 0.5 ? { at: 0, bytes: Buffer.alloc(0) } : change
  return { at: change.at, bytes: change.bytes.subarray(0, Math.round(change.bytes.length * share)) }
}
