/** How long a certificate stays good after another one has taken its place. */
import type { Credential } from '../identity/credential.ts'

/** Long enough for a device that boots from an older image, or whose second process reads the new file only at night. */
const overlapMs = 24 * 3_600_000

/**
 * When the overlap of a superseded credential ends: a day after it was superseded, or at its own end where that comes first.
 *
 * @returns the first millisecond since the epoch at which it is not good any more
 */
export function overlapEndMs({
  supersededAtMs,
  notAfterSec,
}: Pick<Credential, 'notAfterSec'> & { readonly supersededAtMs: number }): number {
  return Math.min(supersededAtMs + overlapMs, (notAfterSec + 1) * 1000)
}

/** Credentials superseded at or before this moment have had their overlap, whatever their own end is. */
export function supersededLongSinceMs(nowMs: number): number {
  return nowMs - overlapMs
}
