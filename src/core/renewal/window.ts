/**
 * When a certificate is renewed: a window in its life, placed by its profile and spread by its serial number, so that a fleet
 * that enrolled in one minute does not come back in one minute. A client picks a time in it (RFC 9773 §4.2).
 */
import { createHash } from 'node:crypto'
import type { SerialNumber } from '../identity/credential.ts'

/** The first second of a window and the first one behind it, since the epoch. `fromSec` is smaller than `untilSec`. */
export interface RenewalWindow {
  readonly fromSec: number
  readonly untilSec: number
}

/** A certificate's life: from its issue, since a backdated beginning is no time lived, to its last good second. */
export interface CertificateLife {
  readonly serialNumber: SerialNumber
  readonly issuedAtMs: number
  /** Inclusive. */
  readonly notAfterSec: number
}

const daySec = 86_400
/** Below this, a third of the life is too little time for a hub or a network that is away for a weekend. */
const shortLifeSec = 10 * daySec
const shortLifeFrom = 1 / 2
/** How far before its place a window may be moved, as a part of the life. */
const spread = 1 / 10
/** How wide a window is, as a part of the life. */
const width = 1 / 50
/** How far back a window lies that was called: whoever picks a time in it picks one that is over. */
const calledFromSec = 3_600
const calledUntilSec = 60

/**
 * The window of a certificate that nobody has called.
 *
 * @param windowFrom the part of its life after which it is renewed, above 0 and below 1; in a life of less than ten days at
 *   most a half
 * @returns a window that ends before the certificate does, in whole seconds; it lies up to a tenth of the life earlier than
 *   `windowFrom` says, always by the same amount for one serial number
 */
export function renewalWindow(life: CertificateLife, windowFrom: number): RenewalWindow {
  const bornSec = Math.floor(life.issuedAtMs / 1000)
  const lifeSec = Math.max(2, life.notAfterSec + 1 - bornSec)
  const from = lifeSec < shortLifeSec ? Math.min(windowFrom, shortLifeFrom) : windowFrom
  const earlier = Math.min(from, spread) * placeOf(life.serialNumber)
  const untilSec = bornSec + Math.max(1, Math.floor(lifeSec * (from - earlier)))
  return { fromSec: untilSec - Math.max(1, Math.floor(lifeSec * width)), untilSec }
}

/**
 * The window of a certificate that is to be renewed now: it is over, so that a client renews at once.
 *
 * @param nowSec whole seconds since the epoch
 */
export function calledWindow(nowSec: number): RenewalWindow {
  return { fromSec: nowSec - calledFromSec, untilSec: nowSec - calledUntilSec }
}

/** A number from 0 to 1, the same for a serial number whenever and wherever it is asked. */
function placeOf(serialNumber: SerialNumber): number {
  return createHash('sha256').update(serialNumber).digest().readUInt32BE(0) / 2 ** 32
}
