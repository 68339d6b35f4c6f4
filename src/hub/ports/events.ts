import type { Role } from '../../core/authorisation/role.ts'
import type { AnchorState, RevocationBehaviour } from '../../core/identification/anchor.ts'
import type { Fingerprint, RevocationReason, SerialNumber } from '../../core/identity/credential.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { IdentityState } from '../../core/identity/identity.ts'
import type { TokenState } from '../../core/identity/token.ts'

/**
 * Something that has happened, as others follow it: the gate, CRLs, connectors, the journal. Whatever gives or takes access
 * is one, so that the journal can take it away again after a restored backup.
 */
export type NewHubEvent =
  | { readonly type: 'identity-registered'; readonly identityId: IdentityId }
  /** Its group or its attributes are others now; the registry says which. */
  | { readonly type: 'identity-changed'; readonly identityId: IdentityId }
  | { readonly type: 'identity-state-changed'; readonly identityId: IdentityId; readonly state: IdentityState }
  | {
      /**
       * `adopted` is what `issued` is, for a credential that the journal gave back after a restored backup; `released` has
       * left its quarantine.
       */
      readonly type:
        | 'credential-issued'
        | 'credential-activated'
        | 'credential-superseded'
        | 'credential-released'
        | 'credential-adopted'
      readonly identityId: IdentityId
      readonly fingerprint: Fingerprint
      readonly serialNumber: SerialNumber
      /** True of one that was issued into quarantine: whoever reads CRLs must hear that it is on hold. */
      readonly isHeld?: true
    }
  | {
      readonly type: 'credential-revoked'
      readonly identityId: IdentityId
      readonly authorityId: string
      /** As in the credential; left out by versions that had no shards. */
      readonly crlShard?: number | null
      readonly fingerprint: Fingerprint
      readonly serialNumber: SerialNumber
      readonly reason: RevocationReason
    }
  | {
      /** A token that will not be used any more. One that a credential was issued for has ended with that event. */
      readonly type: 'token-ended'
      readonly identityId: IdentityId
      readonly tokenId: string
      readonly state: Exclude<TokenState, 'open'>
    }
  | {
      /** Two keys ask to follow one credential: its owner and a thief may both be renewing. */
      readonly type: 'renewal-contested'
      readonly identityId: IdentityId
      /** The credential that both showed. */
      readonly parentSerial: SerialNumber
      /** The one that was given to the earlier of them. */
      readonly rivalSerial: SerialNumber
      /** The one that was given to the later of them. */
      readonly serialNumber: SerialNumber
    }
  /** A request for a certificate that waited for an operator. */
  | {
      readonly type: 'enrolment-decided'
      readonly identityId: IdentityId
      readonly requestId: string
      readonly decision: 'approved' | 'refused'
    }
  /** A password was made; or will not be used any more. */
  | {
      readonly type: 'password-set' | 'password-ended'
      readonly identityId: IdentityId
      readonly passwordId: string
    }
  | {
      /** Its successor was used. */
      readonly type: 'password-superseded'
      readonly identityId: IdentityId
      readonly passwordId: string
      /** Until then it still connects. */
      readonly endsAtMs: number
    }
  | { readonly type: 'api-key-removed'; readonly keyId: string; readonly name: string }
  /** A person has lost a role. */
  | {
      readonly type: 'role-grant-removed'
      readonly identityId: IdentityId
      readonly role: Role
      readonly group: string | null
    }
  | {
      /** Written, changed or removed, by an operator. */
      readonly type: 'profile-changed'
      readonly name: string
      /** What it is now, as it stands in its row; null where it is removed. */
      readonly definition: string | null
    }
  /** A certificate was written down for an identity by its thumbprint, or is so no more. */
  | {
      readonly type: 'pin-added' | 'pin-removed'
      readonly identityId: IdentityId
      readonly fingerprint: Fingerprint
    }
  | {
      /** Another version of the policy decides from now on; null for the default. */
      readonly type: 'policy-activated'
      readonly version: number | null
      /** The policy file, so that the journal knows what was taken away by it. */
      readonly source: string | null
    }
  | {
      /** A trust anchor has come into this state, is gone, or has another CRL: its sessions may have to end. */
      readonly type: 'anchor-changed'
      readonly anchorId: string
      readonly fingerprint: Fingerprint
      readonly state: AnchorState | 'removed'
      /** When a CRL was made that has been given for it; left out where none was. */
      readonly crlThisUpdateMs?: number
      /** Which of its authorities has signed that CRL, and which part it is; left out where it is the anchor's own and whole. */
      readonly crlIssuer?: Fingerprint
      readonly crlPart?: string
      /** What of it decides over access, where that may have changed. */
      readonly terms?: { readonly revocation: RevocationBehaviour; readonly signers: readonly Fingerprint[] }
    }
  /** Another version is tried beside the active one; null for none. */
  | { readonly type: 'policy-shadowed'; readonly version: number | null }
  /** An authority is new, or its state, certificate or the place of its key are others now; the registry says which. */
  | { readonly type: 'authority-changed'; readonly authorityId: string }
  | {
      readonly type: 'crl-published'
      readonly authorityId: string
      /** `fullCrl`, or the number of the shard. */
      readonly shard: number
      /** The CRL number in decimal. */
      readonly crlNumber: string
    }
  | {
      /**
       * The registry was an older copy of itself, and the journal has taken away what was taken away since. Numbers between
       * `restoredTo` and this event belong to what happened after the copy.
       */
      readonly type: 'registry-restored'
      readonly restoredTo: number
      /** Which journal, and the place up to which it was read. */
      readonly journal: string
      readonly place: number
      /** True when nobody knows all that happened since, because the journal did not reach back that far. */
      readonly incomplete: boolean
    }

/** An event with its place in the order of commits, counted from 1, and its time. */
export type HubEvent = NewHubEvent & { readonly number: number; readonly atMs: number }
