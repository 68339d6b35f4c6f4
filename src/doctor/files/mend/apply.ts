/** Does what was planned: each file is replaced in one step, and what stood there is kept beside it. */
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  lchownSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HubError, quote } from '../../../core/errors.ts'
import { renameDurably, writeSynced } from '../../../disk/durable-file.ts'
import type { Mending } from './plan.ts'

/** What was done with one file. */
export interface Mended {
  readonly path: string
  readonly what: readonly string[]
  /** Where the file lies as it was; null where only its mode was changed. */
  readonly kept: string | null
}

/**
 * A link of this user, or of the owner of the file that it leads to, is followed: that file is mended.
 *
 * @param random hexadecimal for the name of a file that is being written
 * @throws HubError `files-unwritable` where a file has changed since it was looked at, or the disk refuses; what was done before stays
 */
export function applyMendings(mendings: readonly Mending[], random: () => string): readonly Mended[] {
  return mendings.map((each) => {
    try {
      return apply(each, random())
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (error instanceof HubError || code === undefined) throw error
      throw new HubError('files-unwritable', `${quote(each.path)} cannot be mended (${code})`, {
        cause: error,
        hint: 'check owner and free space; the file is as it was',
      })
    }
  })
}

function apply({ path, what, mode, content, before }: Mending, random: string): Mended {
  const real = realpathSync(path)
  assertFollowed(path, real)
  if (content === null) {
    if (mode !== null) setMode(real, mode)
    return { path, what, kept: null }
  }
  if (Buffer.compare(readFileSync(real), before) !== 0) {
    throw new HubError('files-unwritable', `${quote(path)} has changed since it was looked at`, {
      hint: 'run the doctor again',
    })
  }
  const stats = statSync(real)
  const newMode = mode ?? stats.mode & 0o777
  const aside = join(dirname(real), `.${basename(real)}.${random}.tmp`)
  try {
    writeSynced(aside, content, newMode)
    // Whoever mends as root leaves the file to its owner.
    if (process.getuid?.() === 0) lchownSync(aside, stats.uid, stats.gid)
    const kept = keep(real)
    // It may hold a key as well.
    if (mode !== null) setMode(kept, mode)
    renameDurably(aside, real)
    return { path, what, kept }
  } finally {
    rmSync(aside, { force: true })
  }
}

/** As systems do it in folders of many (fs.protected_symlinks): whoever mends as root in the folder of another user is led nowhere. */
function assertFollowed(path: string, real: string): void {
  const { uid } = lstatSync(path)
  if (uid === process.geteuid?.() || uid === statSync(real).uid) return
  throw new HubError('files-unwritable', `${quote(path)} is a link of one user to a file of another`, {
    hint: 'name the file itself, if it is to be mended',
  })
}

/** Another name for a file, which stays when the first is given to its successor. */
function keep(path: string): string {
  for (let number = 1; number <= keptMax; number++) {
    const kept = number === 1 ? `${path}.orig` : `${path}.orig${number}`
    try {
      linkSync(path, kept)
      return kept
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') continue
      // File systems without links, such as those of memory cards.
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
      copyFileSync(path, kept, constants.COPYFILE_EXCL)
      return kept
    }
  }
  throw new HubError('files-unwritable', `${keptMax} earlier forms of ${quote(path)} are kept already`, {
    hint: 'remove those that are not needed: they end in .orig and a number',
  })
}

const keptMax = 9

/** No link is followed any more, and no pipe waited for. */
function setMode(path: string, mode: number): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    fchmodSync(file, mode)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
