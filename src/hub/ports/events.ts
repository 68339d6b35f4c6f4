import type { Fingerprint, RevocationReason, SerialNumber } from '../../core/identity/credential.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { IdentityState } from '../../core/identity/identity.ts'

/** Something that has happened, as others follow it: the gate, CRLs, connectors. */
export type NewHubEvent =
  | { readonly type: 'identity-registered'; readonly identityId: IdentityId }
  | { readonly type: 'identity-state-changed'; readonly identityId: IdentityId; readonly state: IdentityState }
  | {
      readonly type: 'credential-issued' | 'credential-activated' | 'credential-superseded'
      readonly identityId: IdentityId
      readonly fingerprint: Fingerprint
      readonly serialNumber: SerialNumber
    }
  | {
      readonly type: 'credential-revoked'
      readonly identityId: IdentityId
      readonly authorityId: string
      readonly fingerprint: Fingerprint
      readonly serialNumber: SerialNumber
      readonly reason: RevocationReason
    }

/** An event with its place in the order of commits, counted from 1, and its time. */
export type HubEvent = NewHubEvent & { readonly number: number; readonly atMs: number }
