/**
 * Files that are whole or absent after a power cut: written aside, synced, put in place in one step, and the folder synced.
 * When a function here returns, what it did is on disk.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file, in place of one that may be there.
 *
 * @param mode permission bits, whatever the umask says; the file has them before it has content
 * @throws the error of the file system
 */
export function writeDurably(path: string, data: string | Uint8Array, mode: number): void {
  writeAside(path, data, mode, (aside) => renameSync(aside, path))
}

/**
 * Writes a file that must not exist yet. Of two writers one wins, and the other's data never stands there.
 *
 * @throws the error of the file system, with code `EEXIST` where the file exists
 */
export function writeNewDurably(path: string, data: string | Uint8Array, mode: number): void {
  // link refuses an existing target, rename would replace it.
  writeAside(path, data, mode, (aside) => linkSync(aside, path))
}

/**
 * Makes a file in a folder that nobody looks into yet. Its content is on disk when this returns, its name only when the folder
 * is synced, which whoever fills the folder does once.
 *
 * @throws the error of the file system
 */
export function writeSynced(path: string, data: string | Uint8Array, mode: number): void {
  const file = openSync(path, 'wx', mode)
  try {
    fchmodSync(file, mode)
    writeFileSync(file, data)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Renames within a folder. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to)
  syncFolder(dirname(to))
}

/** Removes a file that may be there; its name is gone from the disk when this returns. */
export function removeDurably(path: string): void {
  rmSync(path, { force: true })
  syncFolder(dirname(path))
}

/** Puts the entries of a folder on disk. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function writeAside(path: string, data: string | Uint8Array, mode: number, putInPlace: (aside: string) => void): void {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    writeSynced(aside, data, mode)
    putInPlace(aside)
  } finally {
    rmSync(aside, { force: true })
  }
  syncFolder(dirname(path))
}
