/** Puts a bundle into a folder: whole files, secrets for their owner alone, and nothing of somebody else's replaced. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { unwritable } from '../../core/unwritable.ts'
import { writeDurably, writeNewDurably } from '../../disk/durable-file.ts'
import { makeFolder } from '../../disk/make-folder.ts'
import type { BundleFile } from './bundle.ts'

/**
 * Looks before anything is ordered whether the files can be written. Nothing is made yet.
 *
 * @throws HubError `files-exist`, `files-unwritable`
 */
export function assertWritable(folder: string, names: readonly string[], force: boolean): void {
  const path = resolve(folder)
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats !== undefined && !stats.isDirectory()) {
    throw new HubError('files-unwritable', `${quote(folder)} is not a folder`)
  }
  const place = nearestFolder(path)
  try {
    accessSync(place, constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new HubError('files-unwritable', `the folder ${quote(place)} cannot be written to`, { cause })
  }
  if (force) return
  const taken = names.filter((name) => existsSync(join(path, name)))
  if (taken.length === 0) return
  throw new HubError('files-exist', `${taken.map((name) => quote(join(folder, name))).join(', ')} would be replaced`)
}

/** The folder itself, or the one that it will be made in. */
function nearestFolder(path: string): string {
  return existsSync(path) ? path : nearestFolder(dirname(path))
}

/**
 * Writes them; all are on disk when this returns.
 *
 * @returns their paths, in the same order
 * @throws HubError `files-exist`, `files-unwritable`
 */
export function writeBundle(folder: string, files: readonly BundleFile[], force: boolean): readonly string[] {
  prepare(folder)
  return files.map(({ name, data, mode }) => {
    const path = join(folder, name)
    try {
      if (force) writeDurably(path, data, mode)
      else writeNewDurably(path, data, mode)
      return path
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') throw new HubError('files-exist', `${quote(path)} would be replaced`, { cause: error })
      throw new HubError('files-unwritable', `the file ${quote(path)} ${unwritable(error)}`, { cause: error })
    }
  })
}

function prepare(folder: string): void {
  if (existsSync(folder)) return
  try {
    makeFolder(folder, 0o700)
  } catch (error) {
    throw new HubError('files-unwritable', `the folder ${quote(folder)} ${unwritable(error)}`, { cause: error })
  }
}
