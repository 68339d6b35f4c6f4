/** By what somebody who connects has proved who they are. */
import type { Anchored } from '../identification/anchor.ts'
import type { Credential } from './credential.ts'

/** An identity has at most one pinned certificate in each: one is exchanged while the other works. */
export const pinSlots = ['primary', 'secondary'] as const
export type PinSlot = (typeof pinSlots)[number]

export type Proof =
  /** A certificate of ours. */
  | { readonly kind: 'issued'; readonly credential: Credential }
  /** A certificate of somebody else's authority. */
  | {
      readonly kind: 'anchored'
      /** Under which trust anchor its chain ends. */
      readonly anchorId: string
      /** What its status is asked for by. */
      readonly anchored: Anchored
      /** The identification rule that read the identity from it. */
      readonly rule: string
      readonly fingerprint: string
      readonly notAfterSec: number
    }
  /** A certificate that was written down by its thumbprint. */
  | {
      readonly kind: 'pinned'
      readonly slot: PinSlot
      readonly fingerprint: string
      /** Null where its dates do not count. */
      readonly notAfterSec: number | null
    }
  | { readonly kind: 'password'; readonly passwordId: string }

export type ProofKind = Proof['kind']
export const proofKinds = ['issued', 'anchored', 'pinned', 'password'] as const satisfies readonly ProofKind[]

/** Fingerprint of the certificate that proves it; null where none does. */
export function fingerprintOf(proof: Proof): string | null {
  switch (proof.kind) {
    case 'issued':
      return proof.credential.fingerprint
    case 'anchored':
    case 'pinned':
      return proof.fingerprint
    case 'password':
      return null
  }
}

/** Last good second of what proves it; null when it has no end. */
export function endOf(proof: Proof): number | null {
  switch (proof.kind) {
    case 'issued':
      return proof.credential.notAfterSec
    case 'anchored':
    case 'pinned':
      return proof.notAfterSec
    case 'password':
      return null
  }
}

/** Whether it gives next to no rights until an operator releases it. */
export function isQuarantined(proof: Proof): boolean {
  return proof.kind === 'issued' && proof.credential.state === 'quarantined'
}
