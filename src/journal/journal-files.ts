/** The files of a journal as it needs them: few operations, so that a test can fail each of them. */
import { open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { closeFolder } from '../disk/closed-folder.ts'
import { syncFolder } from '../disk/durable-file.ts'

/** An open file. Positions and lengths are in bytes. */
export interface JournalFile {
  /** Writes all of it. */
  write(bytes: Uint8Array, at: number): Promise<void>
  /** Fulfilled when what was written is on disk. After a rejection nobody knows what of it is. */
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

export interface JournalFiles {
  /** How messages name the folder. */
  readonly place: string
  /** The names of all files. */
  list(): Promise<readonly string[]>
  read(name: string): Promise<Uint8Array>
  /** The first `bytes` of a file, or all of a shorter one. */
  readStart(name: string, bytes: number): Promise<Uint8Array>
  /** A file that exists. */
  open(name: string): Promise<JournalFile>
  /** An empty file, in place of one that may be there. */
  create(name: string): Promise<JournalFile>
  remove(name: string): Promise<void>
  /** Puts the names of the folder on disk. */
  syncNames(): Promise<void>
}

/**
 * The journal's folder on disk, made with mode 0700 where it is missing, closed where it was open and is a journal's. Errors are those of
 * the file system, and `SharedFolder`.
 */
export async function journalFolder(path: string): Promise<JournalFiles> {
  closeFolder(path, (name) => name === 'lock.db' || name.endsWith('.journal'))
  return filesIn(path)
}

/** A folder that is there. */
export function filesIn(path: string): JournalFiles {
  return {
    place: path,
    list: () => readdir(path),
    read: (name) => readFile(join(path, name)),
    readStart: (name, bytes) => readStart(join(path, name), bytes),
    open: (name) => openFile(join(path, name), 'r+'),
    create: (name) => openFile(join(path, name), 'w'),
    remove: (name) => rm(join(path, name), { force: true }),
    syncNames: async () => syncFolder(path),
  }
}

async function readStart(path: string, bytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(bytes)
    const { bytesRead } = await file.read(buffer, 0, bytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function openFile(path: string, flags: 'r+' | 'w'): Promise<JournalFile> {
  const file = await open(path, flags, 0o600)
  return {
    async write(bytes, at) {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
        done += bytesWritten
      }
    },
    // The length of the file is synced with its content (fdatasync(2)); times are not needed.
    sync: () => file.datasync(),
    truncate: (length) => file.truncate(length),
    close: () => file.close(),
  }
}
