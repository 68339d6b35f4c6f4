/** The folder that holds everything a hub must not lose. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HubError, quote } from '../core/errors.ts'
import { closeFolder, SharedFolder } from '../disk/closed-folder.ts'
import { writeDurably } from '../disk/durable-file.ts'
import { makeFolder } from '../disk/make-folder.ts'
import type { Log } from '../hub/ports/log.ts'
import type { Random } from '../hub/ports/random.ts'

export interface DataDirectory {
  readonly path: string
  readonly database: string
  readonly lock: string
  readonly keys: string
  readonly passphraseFile: string
  readonly adminKey: string
  /** Says which hub process this is, among several that share a registry. */
  readonly instanceFile: string
  readonly ca: string
  /** Says where the API socket is, as `{"socket": path}`. */
  readonly apiPointer: string
  /** Says which journal this hub keeps, and where. */
  readonly journalMark: string
  /** Says that a restored registry is about to take its place; see pending-restore.ts. */
  readonly restoreMark: string
}

const directoryMode = 0o700

/**
 * Makes the folder where it is missing and closes it to others where it is open.
 *
 * @throws HubError `data-directory-unusable`
 */
export async function prepareDataDirectory(path: string, log: Log): Promise<DataDirectory> {
  try {
    makeFolder(path, directoryMode)
    const { uid } = await stat(path)
    const self = process.getuid?.()
    if (self !== undefined && self !== 0 && uid !== self) {
      throw new HubError('data-directory-unusable', `${quote(path)} belongs to user ${uid}, and this is user ${self}`)
    }
    if (closeFolder(path, (name) => ownNames.has(name))) {
      log.warn('the data directory was open to other users and is closed now', { path })
    }
    for (const folder of ['keys', 'run']) makeFolder(join(path, folder), directoryMode)
  } catch (error) {
    if (error instanceof HubError) throw error
    const shared = sharedFolder(error, path, '--data')
    if (shared !== null) throw shared
    const errno = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new HubError('data-directory-unusable', `${quote(path)} cannot be used as data directory${errno}`, {
      hint: 'check its owner and mode, or name another folder with --data or HANDFAST_DATA',
      cause: error,
    })
  }
  return dataDirectoryAt(path)
}

/**
 * Why a folder cannot be one of ours, where it is somebody else's or none; null for other errors.
 *
 * @param option that names it
 */
export function sharedFolder(error: unknown, path: string, option: '--data' | '--journal'): HubError | null {
  const isNone = (error as NodeJS.ErrnoException).code === 'ENOTDIR'
  if (!isNone && !(error instanceof SharedFolder)) return null
  const what = isNone ? 'is a file and no folder' : 'holds files of others and is open to other users'
  return new HubError('data-directory-unusable', `${quote(path)} ${what}; nothing in it was changed`, {
    hint: `name a folder of its own with ${option}`,
    cause: error,
  })
}

/** What only a hub or a gate puts there. */
const ownNames: ReadonlySet<string> = new Set(['lock.db', 'handfast.db', 'keys', 'admin.key', 'instance', 'credential'])

/** The places in a data directory, whether or not it is there. */
export function dataDirectoryAt(path: string): DataDirectory {
  return {
    path,
    database: join(path, 'handfast.db'),
    lock: join(path, 'lock.db'),
    keys: join(path, 'keys'),
    passphraseFile: join(path, 'keys', 'passphrase'),
    adminKey: join(path, 'admin.key'),
    instanceFile: join(path, 'instance'),
    ca: join(path, 'ca.pem'),
    apiPointer: join(path, 'run', 'api.json'),
    journalMark: join(path, 'journal.json'),
    restoreMark: join(path, 'restore.json'),
  }
}

/**
 * The name of the hub process that has this folder: 16 hexadecimal characters, chosen at its first start.
 *
 * @throws HubError `data-directory-unusable`
 */
export async function instanceName(directory: DataDirectory, random: Random): Promise<string> {
  const kept = (await readIfThere(directory.instanceFile))?.trim()
  if (kept === undefined) {
    const name = Buffer.from(random.bytes(8)).toString('hex')
    writeDurably(directory.instanceFile, `${name}\n`, 0o600)
    return name
  }
  if (/^[0-9a-f]{16}$/.test(kept)) return kept
  throw new HubError('data-directory-unusable', `${quote(directory.instanceFile)} holds no name of a hub process`, {
    hint: 'remove that file: the next start chooses a new name',
  })
}

/** Longest path of a unix socket on Linux (sun_path less its NUL); macOS allows 103. */
const socketPathBytesMax = 103

/** A path for the API socket: in the data directory, or in a private folder for temporary files where that is too long. */
export function apiSocketPath(directory: DataDirectory): Promise<string> {
  return socketPath(directory, 'api.sock')
}

/** The same for the socket on which gate processes reach the broker. */
export function gateSocketPath(directory: DataDirectory): Promise<string> {
  return socketPath(directory, 'gates.sock')
}

async function socketPath(directory: DataDirectory, name: string): Promise<string> {
  const path = join(directory.path, 'run', name)
  if (Buffer.byteLength(path) <= socketPathBytesMax) {
    // What is left of a hub that was killed: the lock says that none runs now.
    await rm(path, { force: true })
    return path
  }
  return join(await mkdtemp(join(tmpdir(), 'handfast-')), name)
}

/** The text of a file, or null where there is none. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new HubError('data-directory-unusable', `${quote(path)} cannot be read`, { cause: error })
  }
}
