/** The files of a database belong to the user of the hub alone. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes the file if it is missing and takes it away from everybody else. SQLite gives its `-wal` and `-shm` files the mode
 * of the database, so they follow; those that a crash left behind are put right as well.
 */
export function securePrivateFile(path: string): void {
  // A file that stands is never opened here: closing it would drop every lock that this process holds on it (POSIX).
  if (!existsSync(path)) {
    closeSync(openSync(path, 'a', 0o600))
    syncDirectory(dirname(path))
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) {
    if (existsSync(file)) chmodSync(file, 0o600)
  }
}

/** Puts the file, which nobody has open, and its name on disk. */
export function syncPrivateFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  syncDirectory(dirname(path))
}

/** Puts the directory's entries on disk, so that a new file is still there after a power cut. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
