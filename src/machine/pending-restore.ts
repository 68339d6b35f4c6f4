/**
 * A restored registry takes the place of another in more steps than one. They are written down first, in a mark, so that
 * whoever comes after a crash, a second restore or a hub that starts, goes through with them: there is never half of one
 * registry and half of another.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { HubError, quote } from '../core/errors.ts'
import { syncFolder, writeDurably } from '../disk/durable-file.ts'
import { makeFolder } from '../disk/make-folder.ts'
import { type DataDirectory, readIfThere } from './data-directory.ts'

/** Where a restore prepares what will take its place; of no worth before the mark is written. */
export function stagingFolder(directory: DataDirectory): string {
  return join(directory.path, 'restore')
}

/**
 * Decides that what stands in the staging folder, synced, is the registry from now on, and puts it there.
 *
 * @param asideName a folder that is made in the data directory for what was there before
 * @returns the path of that folder, or null when nothing was there
 */
export async function takePlace(directory: DataDirectory, asideName: string): Promise<string | null> {
  syncFolder(stagingFolder(directory))
  writeDurably(directory.restoreMark, `${JSON.stringify({ aside: asideName })}\n`, 0o600)
  return finishRestore(directory)
}

/**
 * Goes through with a restore that was decided; nothing to do where there is none. The data directory must be locked.
 *
 * @returns as {@link takePlace}
 * @throws HubError `data-directory-unusable`
 */
export async function finishRestore(directory: DataDirectory): Promise<string | null> {
  const text = await readIfThere(directory.restoreMark)
  const staging = stagingFolder(directory)
  if (text === null) {
    // What a restore that failed has left.
    rmSync(staging, { recursive: true, force: true })
    return null
  }
  const aside = join(directory.path, asideNameFrom(text, directory))
  for (const name of existsSync(staging) ? readdirSync(staging) : []) {
    const place = join(directory.path, name)
    // The log of the old database must not be taken for one of the new database.
    for (const old of [`${place}-wal`, `${place}-shm`, place]) moveAside(old, aside)
    renameSync(join(staging, name), place)
    syncFolder(directory.path)
  }
  rmSync(staging, { recursive: true, force: true })
  rmSync(directory.restoreMark)
  syncFolder(directory.path)
  return existsSync(aside) ? aside : null
}

function moveAside(path: string, aside: string): void {
  if (!existsSync(path)) return
  makeFolder(aside, 0o700)
  renameSync(path, join(aside, basename(path)))
  syncFolder(aside)
}

function asideNameFrom(text: string, { restoreMark }: DataDirectory): string {
  try {
    const { aside } = JSON.parse(text) as { readonly aside?: unknown }
    if (typeof aside === 'string' && /^replaced-[0-9TZ-]+$/.test(aside)) return aside
  } catch {
    // Said below.
  }
  throw new HubError('data-directory-unusable', `${quote(restoreMark)} does not say what was to be restored`, {
    hint: 'restore the backup again: `handfast restore --apply`',
  })
}
