/** Files that are whole or absent after a power cut. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Puts a file in place: a new file beside it, synced, renamed over it, and the folder synced. When this returns, the content
 * is on disk; at no moment does the name hold half of it.
 *
 * @param mode such as 0o600, given to the new file before it has content
 */
export function writeDurably(path: string, content: string, mode: number): void {
  const temporary = `${path}.tmp`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', mode)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameDurably(temporary, path)
}

/** Renames within a folder; when this returns, the new name is on disk. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to)
  syncFolder(dirname(to))
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
