/** Finds and reads the files that somebody named: single ones, or those of a folder. Nothing that is no plain file is waited for. */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { FileAccess, FoundFile } from './found-file.ts'

/** The owner of what is looked at is compared with this user; null where the system has none. */
export type UserId = number | null

/** @throws HubError `usage` where there are more files than are looked at together */
export function readNamedFiles(paths: readonly string[], user: UserId): readonly FoundFile[] {
  assertFew(paths.length)
  return paths.map((path) => {
    const file = readFoundFile(path, user)
    if (file !== null) return file
    throw new HubError('usage', `${quote(path)} is neither a file nor a folder`, { hint: 'name a file or a folder' })
  })
}

/**
 * The files of a folder that can be those of a device, in the order of their names; hidden ones and folders are passed over.
 *
 * @throws HubError `usage` where it cannot be read or holds too many
 */
export function readFolderFiles(folder: string, user: UserId): readonly FoundFile[] {
  let entries: readonly Dirent[]
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new HubError('usage', `the folder ${quote(folder)} cannot be read (${code})`, { cause })
  }
  if (entries.length > limits.doctorFolderEntriesMax) assertFew(entries.length)
  const names = entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .filter((name) => isLikely(name))
    .toSorted()
  assertFew(names.length)
  return names.flatMap((name) => readFoundFile(join(folder, name), user) ?? [])
}

/** Names of files that hold keys, certificates or passphrases; others are none of the doctor's business. */
function isLikely(name: string): boolean {
  // Keys that wait for their certificate are the business of an agent; what was mended has its successor beside it.
  if (name.startsWith('.') || /\.(new|json|md|orig\d*)$|~$/.test(name)) return false
  return (
    /\.(pem|crt|cer|cert|der|key|csr|req|p12|pfx|p7b|p7c|crl|jks|keystore|ppk|pwd)$/i.test(name) ||
    /pass|key|cert/i.test(name)
  )
}

function assertFew(count: number): void {
  if (count <= limits.doctorFilesMax) return
  throw new HubError('usage', `${count} files are more than the ${limits.doctorFilesMax} that are looked at together`, {
    hint: 'name the folder of one device, or its files',
  })
}

/** Null where it is a folder, a pipe or a device. */
function readFoundFile(name: string, user: UserId): FoundFile | null {
  const none = { name, bytes: new Uint8Array() }
  let descriptor: number
  try {
    // A pipe would be waited for, for ever.
    descriptor = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isMissing = code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR'
    return { ...none, access: accessOf(name, user), unread: isMissing ? 'file-missing' : 'file-closed' }
  }
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) return null
    const access = accessIn(stats, user)
    if (stats.size > limits.keyFileBytesMax) return { ...none, access, unread: 'file-too-large' }
    return { name, bytes: readUpTo(descriptor, limits.keyFileBytesMax), access, unread: null }
  } finally {
    closeSync(descriptor)
  }
}

function readUpTo(descriptor: number, bytesMax: number): Uint8Array {
  const buffer = Buffer.alloc(bytesMax)
  let length = 0
  for (let read = -1; read !== 0 && length < bytesMax; length += read) {
    read = readSync(descriptor, buffer, length, bytesMax - length, null)
  }
  return new Uint8Array(buffer.subarray(0, length))
}

/** Who may do what with a file or folder; null where that is not to be had. */
export function accessOf(name: string, user: UserId): FileAccess | null {
  try {
    return accessIn(statSync(name), user)
  } catch {
    return null
  }
}

function accessIn({ mode, uid }: Stats, user: UserId): FileAccess {
  return { mode: mode & 0o777, isOwn: user === null || uid === user }
}
