import { HubError } from '../errors.ts'
import type { IdentityId } from './id.ts'

/**
 * intended → pending → active → superseded → revoked or expired; quarantined beside active.
 *
 * `intended` is what was about to be signed: a crash between intent and answer leaves it behind. `pending` was handed out
 * and not yet used; `active` has been used; `superseded` has a newer one in use beside it. `quarantined` connects with next
 * to no rights until an operator releases it. `unadopted` was issued after the backup that the registry was restored from:
 * it is known again and opens no door until an operator adopts it.
 */
export const credentialStates = [
  'intended',
  'pending',
  'active',
  'quarantined',
  'superseded',
  'revoked',
  'expired',
  'unadopted',
] as const
export type CredentialState = (typeof credentialStates)[number]

/** Reasons for a revocation (RFC 5280 §5.3.1) by name, with the number that stands in a CRL. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const
export type RevocationReason = keyof typeof revocationReasons

/** The lower-case hexadecimal SHA-256 of a whole certificate in DER: 64 characters. */
export type Fingerprint = string

/** A certificate serial number as lower-case hexadecimal of its DER content octets, two characters an octet, at most 40. */
export type SerialNumber = string

/** Who made the key pair: the holder, or the hub, which kept nothing of it. */
export type KeyOrigin = 'holder' | 'hub'

/** One certificate bound to an identity. */
export interface Credential {
  readonly fingerprint: Fingerprint
  readonly serialNumber: SerialNumber
  readonly identityId: IdentityId
  readonly authorityId: string
  readonly profile: string
  readonly state: CredentialState
  /** Lower-case hexadecimal SHA-256 of the SubjectPublicKeyInfo in DER. */
  readonly publicKeyHash: string
  readonly keyOrigin: KeyOrigin
  /** The certificate in DER; while `intended`, the one that was signed with a throwaway key and linted. */
  readonly certificate: Uint8Array
  /** Which CRL its distribution point names: a shard of its authority, or null for the full one. */
  readonly crlShard: number | null
  /** The enrolment token it was issued for, or null. */
  readonly tokenId: string | null
  /** The credential whose holder asked for it; null where a token or an operator did, which begins a new lineage. */
  readonly parentSerial: SerialNumber | null
  /** Whole seconds since the epoch; both ends are inclusive. */
  readonly notBeforeSec: number
  readonly notAfterSec: number
  readonly issuedAtMs: number
  /** Its first use. */
  readonly activatedAtMs: number | null
  /** When its successor was first used. */
  readonly supersededAtMs: number | null
  readonly revokedAtMs: number | null
  readonly revocationReason: RevocationReason | null
}

const transitions: Readonly<Record<CredentialState, readonly CredentialState[]>> = {
  intended: ['pending', 'quarantined', 'revoked', 'expired'],
  pending: ['active', 'revoked', 'expired'],
  active: ['superseded', 'revoked', 'expired'],
  quarantined: ['pending', 'active', 'superseded', 'revoked', 'expired'],
  superseded: ['revoked', 'expired'],
  revoked: [],
  expired: ['revoked'],
  unadopted: ['pending', 'active', 'quarantined', 'superseded', 'revoked', 'expired'],
}

/**
 * The credential in another state, other than revoked.
 *
 * @throws HubError `transition-illegal`
 */
export function credentialMovedTo(
  credential: Credential,
  state: Exclude<CredentialState, 'revoked'>,
  nowMs: number,
): Credential {
  if (credential.state === state) return credential
  assertTransition(credential, state)
  return {
    ...credential,
    state,
    activatedAtMs: state === 'active' ? (credential.activatedAtMs ?? nowMs) : credential.activatedAtMs,
    supersededAtMs: state === 'superseded' ? nowMs : credential.supersededAtMs,
  }
}

/**
 * The credential revoked. Revoking it again changes neither date nor reason, except that `keyCompromise` replaces a weaker
 * reason (RFC 5280 §5.3.1 lets a reason be corrected, and a compromised key outlives every other story).
 *
 * @throws HubError `transition-illegal`
 */
export function credentialRevoked(credential: Credential, reason: RevocationReason, nowMs: number): Credential {
  if (credential.state === 'revoked') {
    const isWorse = reason === 'keyCompromise' && credential.revocationReason !== reason
    return isWorse ? { ...credential, revocationReason: reason } : credential
  }
  assertTransition(credential, 'revoked')
  return { ...credential, state: 'revoked', revokedAtMs: nowMs, revocationReason: reason }
}

function assertTransition(credential: Credential, state: CredentialState): void {
  if (transitions[credential.state].includes(state)) return
  throw new HubError(
    'transition-illegal',
    `certificate ${credential.serialNumber} is ${credential.state} and cannot become ${state}`,
  )
}
