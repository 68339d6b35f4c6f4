/** Certificates that were written down by their thumbprint. */
import type { Fingerprint } from '../../core/identity/credential.ts'
import type { IdentityId } from '../../core/identity/id.ts'
import type { IdentityState } from '../../core/identity/identity.ts'
import type { PinSlot } from '../../core/identity/proof.ts'

export interface PinRow {
  readonly identityId: IdentityId
  readonly slot: PinSlot
  readonly fingerprint: Fingerprint
  /** Whether the dates in the certificate count. */
  readonly datesCount: boolean
  readonly createdAtMs: number
  /** Its first use; null where it was never used. */
  readonly usedAtMs: number | null
  /** In DER. */
  readonly certificate: Uint8Array
}

export interface PinReader {
  find(fingerprint: Fingerprint): Promise<PinRow | null>
  /** Of those that are pinned: the state of its identity. At most `limits.bulkRowsMax` are asked for. */
  statusOf(
    fingerprints: readonly Fingerprint[],
  ): Promise<readonly { readonly fingerprint: Fingerprint; readonly identityState: IdentityState }[]>
  /** The primary one first. */
  ofIdentity(id: IdentityId): Promise<readonly PinRow[]>
}

export interface Pins extends PinReader {
  insert(row: PinRow): Promise<void>
  noteUse(fingerprint: Fingerprint, usedAtMs: number): Promise<void>
  remove(fingerprint: Fingerprint): Promise<void>
}
