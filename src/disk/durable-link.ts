/** Symbolic links that point at one thing or at another after a power cut, and never at nothing. */
import { randomBytes } from 'node:crypto'
import { readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { syncFolder } from './durable-file.ts'

/**
 * Lets a link point at a target, in place of whatever file or link has its name.
 *
 * @param target as it is written into the link: from the folder of the link if it is relative
 * @throws the error of the file system
 */
export function pointDurably(path: string, target: string): void {
  point(path, target)
  syncFolder(dirname(path))
}

/** The same; it is on disk when the folder is synced. */
export function point(path: string, target: string): void {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    symlinkSync(target, aside)
    renameSync(aside, path)
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Where a link points, as it is written in it; null where there is no link of that name. */
export function targetOf(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EINVAL' || code === 'ENOTDIR') return null
    throw error
  }
}
