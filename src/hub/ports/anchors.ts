/** Authorities of others whose certificates are taken. */
import type { AnchorState, RevocationBehaviour } from '../../core/identification/anchor.ts'
import type { Fingerprint } from '../../core/identity/credential.ts'

export interface AnchorRow {
  /** As policies and listeners name it. */
  readonly id: string
  /** SHA-256 of its certificate; no two rows have the same. */
  readonly fingerprint: Fingerprint
  readonly state: AnchorState
  /** What a certificate of it must name to prove that its key is held; null where nothing was to be proved. */
  readonly code: string | null
  readonly revocation: RevocationBehaviour
  readonly createdAtMs: number
  readonly changedAtMs: number
  /** DER: of the authority that signs the certificates of devices. */
  readonly certificate: Uint8Array
  /** PEM of the authorities above it, up to the root; empty where it is one. */
  readonly above: string
}

/** The latest CRL that was given for it. */
export interface AnchorCrlRow {
  readonly anchorId: string
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly givenAtMs: number
  /** DER. */
  readonly crl: Uint8Array
}

export interface AnchorReader {
  find(id: string): Promise<AnchorRow | null>
  /** In the order in which they were added. */
  all(): Promise<readonly AnchorRow[]>
  crl(id: string): Promise<AnchorCrlRow | null>
}

export interface Anchors extends AnchorReader {
  insert(row: AnchorRow): Promise<void>
  /** Writes the state, how revocations count, and when it changed. */
  update(row: AnchorRow): Promise<void>
  /** With its CRL. */
  remove(id: string): Promise<void>
  saveCrl(row: AnchorCrlRow): Promise<void>
  removeCrl(id: string): Promise<void>
}
