/** A file for one secret, which is made before the secret is: what cannot be written down is not asked for. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { HubError, quote } from '../core/errors.ts'
import { unwritable } from '../core/unwritable.ts'

export interface SecretFile {
  /** Writes the secret and a line feed; it is on disk when this returns. */
  write(secret: string): void
  /** Takes the empty file away again. */
  giveUp(): void
}

/**
 * Makes a file that only the user may read.
 *
 * @throws HubError `output-unwritable`, also where the file is there already: it may hold the only copy of another secret
 */
export function makeSecretFile(path: string): SecretFile {
  const file = attempted(path, () => openSync(path, 'wx', 0o600))
  return {
    write(secret) {
      attempted(path, () => {
        writeSync(file, `${secret}\n`)
        fsyncSync(file)
        closeSync(file)
      })
    },
    giveUp() {
      closeSync(file)
      rmSync(path, { force: true })
    },
  }
}

function attempted<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new HubError('output-unwritable', `the file ${quote(path)} ${unwritable(error)}`, {
      hint: 'name a new file in a folder that exists and that this user may write to',
      cause: error,
    })
  }
}
