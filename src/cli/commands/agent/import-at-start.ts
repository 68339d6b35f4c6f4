/** What an agent does with files that lie in a folder when it starts, as Meadow does when it boots. */
import { HubError } from '../../../core/errors.ts'
import { broughtIn } from '../../../device/import/brought-files.ts'
import { importCredential } from '../../../device/import/import-credential.ts'
import { openCredentialStore } from '../../../device/store/open.ts'

interface Told {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/**
 * Imports what lies in the folder, if anything does. What cannot be imported stays where it is and is told of; the agent goes on
 * with the credential that it has.
 *
 * @throws HubError `store-unwritable`
 */
export function importAtStart(directory: string, folder: string, nowMs: number, log: Told): void {
  const store = openCredentialStore(directory, { onNotice: (text) => log.warn(text) })
  try {
    const paths = broughtIn(folder)
    if (paths === null) return
    const { outcome, subject, fingerprint, notAfter, remaining, notes } = importCredential(store, paths, { nowMs })
    log.info(outcome, { subject, fingerprint, notAfter, folder })
    for (const note of notes) log.warn(note)
    for (const path of remaining) log.warn('a file could not be removed and may still hold the key', { path })
  } catch (error) {
    if (!(error instanceof HubError) || error.code === 'store-unwritable') throw error
    log.error(error.message, { code: error.code, hint: error.hint, folder })
  }
}
