/** Sealed keys in a folder, closed to others. */
import { chmod, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HubError, quote } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { removeDurably, writeNewDurably } from '../../disk/durable-file.ts'
import { makeFolder } from '../../disk/make-folder.ts'
import type { KeyStore } from '../../hub/ports/signer.ts'
import { openKeyRing } from '../key-ring.ts'
import type { SealedFiles } from '../sealed-files.ts'

/**
 * Opens the folder, or makes it with mode 0700.
 *
 * @throws HubError as {@link openKeyRing}; `data-directory-unusable` when the folder cannot be used
 */
export async function openKeyFolder(options: {
  readonly folder: string
  readonly passphrase: Secret
}): Promise<KeyStore> {
  await prepareFolder(options.folder)
  return openKeyRing(filesIn(options.folder), options.passphrase)
}

const fileMode = 0o600

/** What a crash leaves of a file that was being written. */
const halfFile = /^\..+\.[0-9a-f]{12}\.tmp$/

async function prepareFolder(folder: string): Promise<void> {
  try {
    makeFolder(folder, 0o700)
    await chmod(folder, 0o700)
    for (const name of await readdir(folder)) if (halfFile.test(name)) await rm(join(folder, name), { force: true })
  } catch (cause) {
    throw new HubError('data-directory-unusable', `the key folder ${quote(folder)} cannot be used`, { cause })
  }
}

function filesIn(folder: string): SealedFiles {
  const failed = (name: string, what: string, cause: unknown): HubError =>
    new HubError('data-directory-unusable', `${quote(join(folder, name))} cannot be ${what}`, { cause })
  return {
    place: `the folder ${quote(folder)}`,
    names: () => readdir(folder),
    async read(name) {
      try {
        return await readFile(join(folder, name), 'utf8')
      } catch (cause) {
        if (errno(cause) === 'ENOENT') return null
        throw failed(name, 'read', cause)
      }
    },
    async writeNew(name, text) {
      try {
        writeNewDurably(join(folder, name), text, fileMode)
        return true
      } catch (cause) {
        if (errno(cause) === 'EEXIST') return false
        throw failed(name, 'written', cause)
      }
    },
    async remove(name) {
      try {
        removeDurably(join(folder, name))
      } catch (cause) {
        throw failed(name, 'removed', cause)
      }
    },
  }
}

function errno(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
