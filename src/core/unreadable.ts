/** Files that cannot be read, in words. */

export interface Unreadable {
  /** Stands behind the name of the file: `cannot be read: there is no such file`. */
  readonly words: string
  /** The next action. */
  readonly hint: string
}

const known: Readonly<Record<string, Unreadable>> = {
  ENOENT: {
    words: 'cannot be read: there is no such file',
    hint: 'check its path; one that does not begin with "/" is looked for from where you are',
  },
  EISDIR: { words: 'cannot be read: it is a folder', hint: 'name a file in it' },
  EACCES: { words: 'cannot be read: this user may not', hint: 'check its owner and mode, and those of its folders' },
  ENOTDIR: { words: 'cannot be read: a part of its path is no folder', hint: 'check its path' },
}

/** @param error what reading it threw */
export function unreadable(error: unknown): Unreadable {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return known[code] ?? { words: `cannot be read (${code})`, hint: 'check its path and mode' }
}
