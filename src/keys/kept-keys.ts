/** Sealed keys in memory, as a backup holds them, and those of a folder as they stand in their files. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CodingError, HubError, quote } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import type { KeyStore } from '../hub/ports/signer.ts'
import { openKeyRing } from './key-ring.ts'
import type { SealedFiles } from './sealed-files.ts'

/**
 * Opens keys that are in memory.
 *
 * @param place how messages name where they come from
 * @throws HubError `key-passphrase-wrong`, `key-file-damaged`
 */
export function openKeptKeys(keys: ReadonlyMap<string, string>, passphrase: Secret, place: string): Promise<KeyStore> {
  if (!keys.has('kek.json')) {
    throw new HubError('key-file-damaged', `there is no kek.json in ${place}`)
  }
  const files: SealedFiles = {
    place,
    read: async (name) => keys.get(name) ?? null,
    async writeNew() {
      throw new CodingError('kept keys are only read')
    },
    async remove() {
      throw new CodingError('kept keys are only read')
    },
    names: async () => [...keys.keys()],
  }
  return openKeyRing(files, passphrase)
}

/**
 * The sealed keys of a folder, by the names of their files. None of them is opened.
 *
 * @throws HubError `data-directory-unusable`
 */
export async function readSealedFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  try {
    const names = (await readdir(folder)).filter((name) => name === 'kek.json' || name.endsWith('.key.json')).sort()
    const texts = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)
    return new Map(await Promise.all(texts))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new HubError('data-directory-unusable', `the keys in ${quote(folder)} cannot be read (${code})`, {
      hint: 'run this as the user that runs the hub',
      cause,
    })
  }
}
