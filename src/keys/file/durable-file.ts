/** Files that are whole or absent after a power cut: written aside, synced, and put in place in one step. */
import { randomBytes } from 'node:crypto'
import { link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file, in place of one that may be there. It is on disk when this is fulfilled.
 *
 * @param mode permission bits, whatever the umask says
 * @throws the error of the file system
 */
export async function writeFileDurably(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  await writeAside(path, data, mode, (aside) => rename(aside, path))
}

/**
 * Writes a file that must not exist yet. Of two writers one wins, and the other's data never stands there.
 *
 * @param mode permission bits, whatever the umask says
 * @throws the error of the file system, with code `EEXIST` where the file exists
 */
export async function writeNewFileDurably(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  // link refuses an existing target, rename would replace it.
  await writeAside(path, data, mode, (aside) => link(aside, path))
}

async function writeAside(
  path: string,
  data: string | Uint8Array,
  mode: number,
  putInPlace: (aside: string) => Promise<void>,
): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const file = await open(aside, 'wx', mode)
    try {
      await file.chmod(mode)
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await putInPlace(aside)
  } finally {
    await rm(aside, { force: true })
  }
  await syncFolder(dirname(path))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
