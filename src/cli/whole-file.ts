/** Files that a command reads or writes as a whole, with errors that name them. */
import { closeSync, openSync, readSync } from 'node:fs'
import { HubError, quote } from '../core/errors.ts'
import { unreadable } from '../core/unreadable.ts'
import { unwritable } from '../core/unwritable.ts'
import { writeDurably, writeNewDurably } from '../disk/durable-file.ts'

/** @throws HubError `usage` where it cannot be read or is longer than `bytesMax` */
export function readSmallBytes(file: string, bytesMax: number): Buffer {
  try {
    const bytes = readUpTo(file, bytesMax + 1)
    if (bytes.length <= bytesMax) return bytes
  } catch (cause) {
    const { words, hint } = unreadable(cause)
    throw new HubError('usage', `the file ${quote(file)} ${words}`, { cause, hint })
  }
  throw new HubError('usage', `the file ${quote(file)} is longer than ${bytesMax} bytes: it is another file`)
}

/** Pipes and devices have no size that could be asked before, and some of them no end. */
function readUpTo(file: string, bytesMax: number): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(bytesMax)
    let length = 0
    for (let read = -1; read !== 0 && length < bytesMax; length += read) {
      read = readSync(descriptor, buffer, length, bytesMax - length, null)
    }
    return buffer.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** The same as text. */
export function readSmallFile(file: string, bytesMax: number): string {
  return readSmallBytes(file, bytesMax).toString('utf8')
}

/** @throws HubError `files-exist`, `files-unwritable` */
export function writeWholeFile(
  file: string,
  content: string,
  { mode, force }: { readonly mode: number; readonly force: boolean },
): void {
  try {
    if (force) writeDurably(file, content, mode)
    else writeNewDurably(file, content, mode)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      throw new HubError('files-exist', `${quote(file)} would be replaced`, {
        cause,
        hint: 'name another file, or add --force',
      })
    }
    throw new HubError('files-unwritable', `the file ${quote(file)} ${unwritable(cause)}`, { cause })
  }
}
