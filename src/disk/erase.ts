/**
 * Files whose content must not stay behind. It is overwritten before the name goes; a flash memory or a file system with copies
 * may keep the old blocks all the same, which no program can help.
 */
import { closeSync, constants, fstatSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from './durable-file.ts'

/**
 * Overwrites a file with zeros, syncs it and removes it. A link is removed, and what it points at stays.
 *
 * @throws the error of the file system, except where there is no such file
 */
export function eraseDurably(path: string): void {
  overwrite(path)
  rmSync(path, { force: true })
  syncFolder(dirname(path))
}

function overwrite(path: string): void {
  let file: number
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ELOOP') return
    throw error
  }
  try {
    const zeros = Buffer.alloc(4096)
    const { size } = fstatSync(file)
    for (let done = 0; done < size; ) done += writeSync(file, zeros, 0, Math.min(zeros.length, size - done), done)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
