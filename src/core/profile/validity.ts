import { HubError } from '../errors.ts'
import type { Profile } from './profile.ts'

/** A certificate's validity. Both ends are inclusive, in whole seconds since the epoch. */
export interface Validity {
  readonly notBeforeSec: number
  readonly notAfterSec: number
}

/** A certificate that would end sooner than this helps nobody: a handshake and a renewal take part of it. */
const usefulSec = 60

/**
 * The validity of a certificate issued now.
 *
 * @param profile says how long the certificate stays good, and how early it starts
 * @param nowSec the issuer's clock, whole seconds since the epoch
 * @param issuer when the issuer itself is good; null for a root
 * @returns a period that starts early, for peers whose clock runs behind, and stays within the issuer's own at both ends;
 *   `notAfterSec` is the last good second, not the first bad one (RFC 5280 §4.1.2.5)
 * @throws HubError `authority-expired` when less than a minute of it would remain, `clock-before-authority` when the issuer
 *   is not good yet
 */
export function validityFrom(
  profile: Pick<Profile, 'lifetimeSec' | 'backdateSec'>,
  nowSec: number,
  issuer: Validity | null,
): Validity {
  const wished = { notBeforeSec: nowSec - profile.backdateSec, notAfterSec: nowSec + profile.lifetimeSec - 1 }
  if (issuer === null) return wished
  if (nowSec < issuer.notBeforeSec) {
    throw new HubError(
      'clock-before-authority',
      `the clock says ${dateText(nowSec)}, but the issuing authority is good from ${dateText(issuer.notBeforeSec)}`,
    )
  }
  if (issuer.notAfterSec - nowSec < usefulSec) {
    throw new HubError(
      'authority-expired',
      `the issuing authority is good until ${dateText(issuer.notAfterSec)}, and it is ${dateText(nowSec)}`,
    )
  }
  return {
    notBeforeSec: Math.max(wished.notBeforeSec, issuer.notBeforeSec),
    notAfterSec: Math.min(wished.notAfterSec, issuer.notAfterSec),
  }
}

/** A second for people, as in `2026-11-21T12:00:00Z`. */
export function dateText(epochSec: number): string {
  return new Date(epochSec * 1000).toISOString().replace('.000Z', 'Z')
}
