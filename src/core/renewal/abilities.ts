/**
 * What a credential opens at a moment: connections, and its own renewal. Everything that judges a certificate asks here, so
 * that gate and EST cannot disagree.
 */
import type { FailureName } from '../failure/catalogue.ts'
import type { Credential } from '../identity/credential.ts'
import { overlapEndMs } from './overlap.ts'

/** What of a profile decides. */
export interface RenewalRules {
  /** How long after its end a certificate may still be renewed, in seconds; 0 for never. */
  readonly afterExpirySec: number
  /** Whether what was renewed after its end waits in quarantine. */
  readonly quarantineAfterExpiry: boolean
  /** How long a renewed certificate waits for its first use, in seconds. */
  readonly pendingLapsesSec: number
}

export interface Abilities {
  /** `in-quarantine`: with the rights of the quarantine and no others. */
  readonly connect: 'freely' | 'in-quarantine' | 'no'
  /** `into-quarantine`: what follows waits for an operator. */
  readonly renew: 'freely' | 'into-quarantine' | 'no'
  /** Whether a renewal must keep the key. */
  readonly sameKeyOnly: boolean
  /** Why it may not connect; null when it may. */
  readonly refusal: FailureName | null
}

/** The part of a credential that is looked at. */
export type JudgedCredential = Pick<
  Credential,
  'state' | 'parentSerial' | 'notBeforeSec' | 'notAfterSec' | 'issuedAtMs' | 'activatedAtMs' | 'supersededAtMs'
>

/**
 * State comes before dates: that a certificate was revoked matters more than that it has also expired.
 *
 * @param rules those of its profile; null where nobody knows its profile any more
 */
export function abilitiesOf(credential: JudgedCredential, rules: RenewalRules | null, nowMs: number): Abilities {
  const standing = standingRefusal(credential, rules, nowMs)
  if (standing !== null) return nothing(standing)
  const nowSec = Math.floor(nowMs / 1000)
  if (nowSec < credential.notBeforeSec) return nothing('certificate-not-yet-valid')
  if (nowSec > credential.notAfterSec) return afterExpiry(credential, rules, nowSec)
  switch (credential.state) {
    case 'superseded':
      return { connect: 'freely', renew: 'into-quarantine', sameKeyOnly: false, refusal: null }
    case 'quarantined':
      // Whoever waits for an operator does not get out by asking again.
      return { connect: 'in-quarantine', renew: 'into-quarantine', sameKeyOnly: false, refusal: null }
    default:
      return { connect: 'freely', renew: 'freely', sameKeyOnly: false, refusal: null }
  }
}

/** Why a credential opens nothing, whatever its dates say. */
function standingRefusal(credential: JudgedCredential, rules: RenewalRules | null, nowMs: number): FailureName | null {
  const { state, supersededAtMs, notAfterSec } = credential
  switch (state) {
    case 'revoked':
      return 'certificate-revoked'
    case 'intended':
      return 'certificate-never-completed'
    case 'unadopted':
      return 'certificate-not-adopted'
    case 'expired':
      return 'certificate-expired'
    case 'superseded':
      return nowMs < overlapEndMs({ supersededAtMs: supersededAtMs ?? 0, notAfterSec })
        ? null
        : 'certificate-superseded'
    case 'pending':
    case 'quarantined':
      return hasLapsed(credential, rules, nowMs) ? 'certificate-lapsed' : null
    case 'active':
      return null
  }
}

/** From when on time alone makes {@link abilitiesOf} refuse what may connect now, in milliseconds since the epoch. */
export function connectEndsAtMs(credential: JudgedCredential, rules: RenewalRules | null): number {
  const { state, notAfterSec, supersededAtMs, activatedAtMs, parentSerial, issuedAtMs } = credential
  if (state === 'superseded') return overlapEndMs({ supersededAtMs: supersededAtMs ?? 0, notAfterSec })
  const waits = (state === 'pending' || state === 'quarantined') && activatedAtMs === null && parentSerial !== null
  const lapsesAtMs = waits && rules !== null ? issuedAtMs + rules.pendingLapsesSec * 1000 : Number.POSITIVE_INFINITY
  return Math.min((notAfterSec + 1) * 1000, lapsesAtMs)
}

/**
 * Whether a renewed certificate has waited too long for its first use. One that a token or an operator brought waits until
 * its own end: a device may lie in a box for a while, and nobody else holds a certificate in its place.
 */
export function hasLapsed(
  { state, parentSerial, activatedAtMs, issuedAtMs }: JudgedCredential,
  rules: RenewalRules | null,
  nowMs: number,
): boolean {
  const waits = (state === 'pending' || state === 'quarantined') && activatedAtMs === null
  return waits && parentSerial !== null && rules !== null && nowMs >= issuedAtMs + rules.pendingLapsesSec * 1000
}

/** A device that was off for long comes back with the key that it has; one that has not been used has nothing to come back to. */
function afterExpiry({ state, notAfterSec }: JudgedCredential, rules: RenewalRules | null, nowSec: number): Abilities {
  const wasUsed = state === 'active' || state === 'quarantined'
  if (!wasUsed || rules === null || nowSec > notAfterSec + rules.afterExpirySec) return nothing('certificate-expired')
  const isHeld = rules.quarantineAfterExpiry || state === 'quarantined'
  return {
    connect: 'no',
    renew: isHeld ? 'into-quarantine' : 'freely',
    sameKeyOnly: true,
    refusal: 'certificate-expired',
  }
}

function nothing(refusal: FailureName): Abilities {
  return { connect: 'no', renew: 'no', sameKeyOnly: false, refusal }
}
