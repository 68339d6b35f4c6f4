/** A folder that nobody else may enter. */
import { chmodSync, readdirSync, statSync } from 'node:fs'
import { makeFolder } from './make-folder.ts'

/** The folder holds what is not ours, and others may enter it: it is theirs to close. */
export class SharedFolder extends Error {}

/**
 * Makes a folder (0700), or closes one that is there and open, where it is empty or ours. Nothing is changed before that is known.
 *
 * @param isOurs whether one of these names shows that the folder was made by us
 * @returns whether it was open and is closed now
 * @throws SharedFolder; the error of the file system, `ENOTDIR` where it is no folder
 */
export function closeFolder(path: string, isOurs: (name: string) => boolean): boolean {
  makeFolder(path, 0o700)
  const stats = statSync(path)
  if (!stats.isDirectory()) throw Object.assign(new Error(`${path} is no folder`), { code: 'ENOTDIR' })
  if ((stats.mode & 0o077) === 0) return false
  // A disk of its own may have nothing in it but this.
  const names = readdirSync(path).filter((name) => name !== 'lost+found')
  if (names.length > 0 && !names.some(isOurs)) throw new SharedFolder(`${path} holds other files`)
  chmodSync(path, 0o700)
  return true
}
