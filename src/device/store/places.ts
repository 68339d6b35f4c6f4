/**
 * Where things lie in the folder of a credential store, and who may have it:
 *
 *     slots/<number>/        a credential: private_key.pem, client_cert.pem, ca.pem, hub.json;
 *                            key_reference.json in place of the key where that is elsewhere
 *     current, next, previous          links to slots
 *     private_key.pem, client_cert.pem, ca.pem    links into `current`, for applications
 *     private_key.<id>.new   a key that waits for its certificate
 *     private_key_pass.txt   where keys are encrypted: a link to the owner's file
 *     last_good_time         the latest time that is known to have been
 *
 * A slot is written whole and synced before a link points to it, and nothing in it changes afterwards but its roots.
 */
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import { syncFolder } from '../../disk/durable-file.ts'
import { makeFolder } from '../../disk/make-folder.ts'
import { deviceLimits } from '../limits.ts'
import type { CredentialFiles, SlotName } from './credential.ts'

/** Names of the files of a credential, in its slot and, but for the last two, in the folder. */
export const fileNames = {
  key: 'private_key.pem',
  certificate: 'client_cert.pem',
  ca: 'ca.pem',
  hub: 'hub.json',
  reference: 'key_reference.json',
} as const

/** Where keys are encrypted: a link to the owner's file with their passphrase. */
export const passphraseLink = 'private_key_pass.txt'

export interface Places extends CredentialFiles {
  readonly path: string
  readonly slots: string
  readonly lock: string
  readonly passphrase: string
  readonly goodTime: string
  link(slot: SlotName): string
  waitingKey(id: IdentityId): string
}

export function placesIn(directory: string): Places {
  const path = resolve(directory)
  return {
    path,
    key: join(path, fileNames.key),
    certificate: join(path, fileNames.certificate),
    ca: join(path, fileNames.ca),
    slots: join(path, 'slots'),
    lock: join(path, '.lock'),
    passphrase: join(path, passphraseLink),
    goodTime: join(path, 'last_good_time'),
    link: (slot) => join(path, slot),
    waitingKey: (id) => join(path, `private_key.${id}.new`),
  }
}

export const waitingKeyFile = /^private_key\..*\.new$/

/** What a power cut leaves of a file or a link that was being made. */
export const halfMade =
  /^\.(private_key.*|client_cert|ca|hub|current|next|previous|last_good_time)(\..*)?\.[0-9a-f]{12}\.tmp$/

const own = new RegExp(
  [
    '^(private_key\\.pem|client_cert\\.pem|(ca\\.pem|hub\\.json|private_key\\..*)(\\.new)?',
    'slots|current|next|previous|private_key_pass\\.txt|last_good_time|agent\\.json|\\.agent\\.lock',
    '\\.lock(\\.[0-9a-f]{12})?|\\..*\\.[0-9a-f]{12}\\.tmp)$',
  ].join('|'),
)

/**
 * Makes the folder (0700), or checks that nobody else can put files into it and closes it where everything in it is ours.
 *
 * @throws HubError `store-unwritable`
 */
export function prepareFolder({ path }: Places): void {
  if (!existsSync(path)) {
    makeFolder(path, 0o700)
    syncFolder(dirname(path))
  }
  const stats = statSync(path)
  if (!stats.isDirectory()) throw refusal(`${quote(path)} is not a folder`)
  assertOwn(path, stats)
  const isOurs = readdirSync(path).every((name) => own.test(name))
  if (isOurs && (stats.mode & 0o077) !== 0) {
    chmodSync(path, 0o700)
  } else if ((stats.mode & 0o022) !== 0) {
    throw refusal(`other users may write to ${quote(path)} (mode ${octal(stats)})`, `chmod 0700 ${path}`)
  }
}

/**
 * Takes away what others may do with a file or folder of ours beyond `mode`.
 *
 * @returns what was changed, in words, or null
 * @throws HubError `store-unwritable` where it belongs to somebody else
 */
export function repairMode(path: string, mode: number): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || stats.isSymbolicLink()) return null
  assertOwn(path, stats)
  if ((stats.mode & 0o777 & ~mode) === 0) return null
  chmodSync(path, mode)
  return `${path} had the mode ${octal(stats)}, and has ${mode.toString(8).padStart(4, '0')} now`
}

/** The text of a file, or null where there is none. @throws HubError `store-unwritable` when it is too large */
export function readSmall(path: string): string | null {
  try {
    const { size } = statSync(path)
    if (size <= deviceLimits.fileBytesMax) return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
  throw refusal(`${quote(path)} is larger than ${deviceLimits.fileBytesMax} bytes`)
}

/** @throws HubError `store-unwritable` where others than the owner may read it, or it belongs to somebody else */
export function assertPrivate(path: string): void {
  const stats = statSync(path)
  assertOwn(path, stats)
  if ((stats.mode & 0o077) === 0) return
  throw refusal(`other users may read the key ${quote(path)} (mode ${octal(stats)})`, `chmod 0600 ${path}`)
}

function assertOwn(path: string, stats: Stats): void {
  const user = process.getuid?.()
  if (user === undefined || stats.uid === user) return
  throw refusal(
    `${quote(path)} belongs to another user (uid ${stats.uid}, this is uid ${user})`,
    'run this as the user that the device software runs as, or choose another folder',
  )
}

function octal(stats: Stats): string {
  return (stats.mode & 0o7777).toString(8).padStart(4, '0')
}

export function refusal(message: string, hint?: string): HubError {
  return new HubError('store-unwritable', message, hint === undefined ? {} : { hint })
}

/** What the file system refuses becomes a failure that names the folder. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (error instanceof HubError || code === undefined) throw error
    throw new HubError('store-unwritable', `the folder ${quote(path)} cannot be used (${code})`, { cause: error })
  }
}
