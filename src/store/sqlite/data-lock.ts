/**
 * One hub to a data directory. The lock is an exclusive transaction on a small database of its own: the operating system
 * frees it when the process ends in whatever way, and it leaves nothing behind that must be judged stale.
 */
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HubError, quote } from '../../core/errors.ts'
import { securePrivateFile } from './files.ts'

export interface DataLock {
  release(): void
}

/** Kept here, because a connection that is collected as garbage frees its lock. */
const held = new Set<DatabaseSync>()

/**
 * @param path the file that is the lock; it is made when it is missing, in a directory that exists
 * @throws HubError `data-directory-locked` when another process, or this one, holds it; `data-directory-unusable` when
 *   the file cannot be made
 */
export function lockDataDirectory(path: string): DataLock {
  let database: DatabaseSync | null = null
  try {
    securePrivateFile(path)
    database = new DatabaseSync(path, { timeout: 0 })
    // Nothing is ever written, so a full disk keeps nobody from the lock.
    database.exec('pragma journal_mode = memory; begin exclusive')
  } catch (error) {
    database?.close()
    if (isBusy(error))
      throw new HubError('data-directory-locked', `another hub runs on ${quote(dirname(path))}`, { cause: error })
    throw new HubError('data-directory-unusable', `the lock of ${quote(dirname(path))} cannot be taken`, {
      cause: error,
    })
  }
  return hold(database)
}

function hold(database: DatabaseSync): DataLock {
  held.add(database)
  return {
    release() {
      if (held.delete(database)) database.close()
    },
  }
}

/** SQLITE_BUSY, LOCKED. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && [5, 6].includes(Number(error.errcode) & 0xff)
}
