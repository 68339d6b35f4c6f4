/** Puts the files of a device into a folder, which is whole or absent after a power cut. */
import { existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { unwritable } from '../../core/unwritable.ts'
import { syncFolder, writeDurably, writeSynced } from '../../disk/durable-file.ts'
import { eraseDurably } from '../../disk/erase.ts'
import { makeFolder } from '../../disk/make-folder.ts'
import { assertWritable } from '../bundle/write-bundle.ts'
import type { KitFile } from './credential-files.ts'
import type { Kit } from './kit.ts'

/** Where a folder is made, and where the key of an enrolment waits that did not end: beside it, for this user alone. */
export function unfinishedFolder(out: string): string {
  const path = resolve(out)
  return join(dirname(path), `.${basename(path)}.unfinished`)
}

/**
 * Makes that place, or takes up the one of a run that was cut off.
 *
 * @throws HubError `files-unwritable` where others have it or may look into it
 */
export function prepareUnfinished(out: string): string {
  const path = unfinishedFolder(out)
  try {
    makeFolder(path, 0o700)
  } catch (error) {
    throw new HubError('files-unwritable', `the folder ${quote(dirname(path))} ${unwritable(error)}`, { cause: error })
  }
  if (isOfUserAlone(path)) return path
  throw new HubError('files-unwritable', `${quote(path)} is not a folder of this user alone`, {
    hint: 'remove it, or name another folder with --out',
  })
}

/**
 * Looks before anything is made whether the folder can be written.
 *
 * @param title first line of the README of such a folder; one that begins otherwise is not replaced, whatever is asked
 * @throws HubError `files-exist`, `files-unwritable`
 */
export function assertFolder(out: string, title: string, force: boolean): void {
  assertWritable(out, [], false)
  if (isFree(out)) return
  const isOurs = firstLine(join(out, 'README.md')) === title
  if (!force) {
    // A run that was cut off behind its renaming has left a whole folder, and a key beside it that nobody needs any more.
    if (isOurs) removeUnfinished(out)
    throw new HubError('files-exist', `${quote(out)} holds files already`)
  }
  if (isOurs) return
  throw new HubError('files-exist', `${quote(out)} is not what this command has made for this device and platform`, {
    hint: 'name another folder with --out',
  })
}

/**
 * @returns the paths of what was written
 * @throws HubError `files-exist`, `files-unwritable`
 */
export function writeFolder(out: string, { credential, examples }: Kit): readonly string[] {
  try {
    if (isFree(out)) return writeWhole(out, [...credential, ...examples])
    const missing = examples.filter(({ name }) => !existsSync(join(out, name)))
    return [...credential, ...missing].map(({ name, data, mode }) => {
      const path = join(out, name)
      makeFolder(dirname(path), 0o700)
      writeDurably(path, data, mode)
      return path
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof HubError || code === undefined) throw error
    if (code === 'ENOTEMPTY' || code === 'EEXIST') {
      throw new HubError('files-exist', `somebody has put files into ${quote(out)} meanwhile`, { cause: error })
    }
    throw new HubError('files-unwritable', `the folder ${quote(out)} ${unwritable(error)}`, { cause: error })
  }
}

/** All of it aside, synced, and then one renaming. An empty folder that is there is replaced. */
function writeWhole(out: string, files: readonly KitFile[]): readonly string[] {
  const aside = join(prepareUnfinished(out), 'folder')
  // What a run has left that was cut off.
  erase(aside)
  for (const { name, data, mode } of files) {
    const path = join(aside, name)
    makeFolder(dirname(path), 0o700)
    writeSynced(path, data, mode)
  }
  for (const folder of new Set([...files.map(({ name }) => dirname(join(aside, name))), aside])) syncFolder(folder)
  renameSync(aside, resolve(out))
  syncFolder(dirname(resolve(out)))
  return files.map(({ name }) => join(out, name))
}

/** Removes what a run has needed on its way; keys in it are overwritten. */
export function removeUnfinished(out: string): void {
  const path = unfinishedFolder(out)
  // In a folder of many, others may have put a link there.
  if (isOfUserAlone(path)) erase(path)
}

/** Whether it is a folder, no link to one, of which others have nothing. */
function isOfUserAlone(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  return stats?.isDirectory() === true && stats.uid === process.getuid?.() && (stats.mode & 0o077) === 0
}

function erase(folder: string): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) eraseDurably(join(entry.parentPath, entry.name))
  }
  rmSync(folder, { recursive: true, force: true })
}

function isFree(out: string): boolean {
  return statSync(out, { throwIfNoEntry: false }) === undefined || readdirSync(out).length === 0
}

function firstLine(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').split('\n', 1)[0] ?? null
  } catch {
    return null
  }
}
