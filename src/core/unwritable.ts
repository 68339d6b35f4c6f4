/** Files and folders that cannot be written, in words. */

const known: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be written: a folder of its path is not there',
  ENOTDIR: 'cannot be written: a part of its path is no folder',
  EISDIR: 'cannot be written: it is a folder',
  EEXIST: 'is there already',
  EACCES: 'cannot be written: this user may not',
  EPERM: 'cannot be written: this user may not',
  EROFS: 'cannot be written: its file system is read-only',
  ENOSPC: 'cannot be written: the disk is full',
  EDQUOT: 'cannot be written: the quota of this user is used up',
  ENAMETOOLONG: 'cannot be written: its name is too long',
  ELOOP: 'cannot be written: its path leads in a circle of links',
}

/**
 * What stands behind the name of a file or folder: `cannot be written: the disk is full`.
 *
 * @param error what writing it threw
 */
export function unwritable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return known[code] ?? `cannot be written (${code})`
}
