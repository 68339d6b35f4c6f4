/** The ETags of the API. */
import { createHash } from 'node:crypto'
import type { Identity } from '../../core/identity/identity.ts'

/** Of an answer that shows a device alone. */
export function versionTag({ version }: Identity): string {
  return `"${version}"`
}

/**
 * Of a device with its certificates and what else is shown, which change while its own version stays: behind the dot stands a
 * digest of them, so that "not modified" is said of all that is shown.
 */
export function detailTag({ version }: Identity, shown: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(shown)).digest('base64url')
  return `"${version}.${digest.slice(0, 16)}"`
}
