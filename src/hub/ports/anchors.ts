/** Authorities of others whose certificates are taken. */
import type { AnchorState, RevocationBehaviour } from '../../core/identification/anchor.ts'
import type { RevocationSources } from '../../core/identification/revocation-sources.ts'
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
  readonly sources: RevocationSources
  readonly createdAtMs: number
  readonly changedAtMs: number
  /** DER: of the authority that was proved. */
  readonly certificate: Uint8Array
  /** PEM of the authorities above it, up to the root; empty where it is one. */
  readonly above: string
  /** PEM of the authorities below it that sign certificates of devices as well; empty where it alone does. */
  readonly below: string
}

/** Which CRL it is: of an authority of a trust anchor, whole or one part. */
export interface AnchorCrlPlace {
  readonly anchorId: string
  /** Of the certificate of the authority that signed it: the trust anchor, or one below it. */
  readonly issuer: Fingerprint
  /** Empty for a whole one; else the addresses by which certificates name the part, with spaces between them. */
  readonly part: string
}

/** A CRL without its bytes. */
export interface AnchorCrlHead extends AnchorCrlPlace {
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly givenAtMs: number
}

export interface AnchorCrlRow extends AnchorCrlHead {
  /** DER. */
  readonly crl: Uint8Array
}

/** An address that CRLs are fetched from. */
export interface AnchorFetchRow {
  readonly anchorId: string
  readonly url: string
  /** Whether a certificate named it, and not the operator. */
  readonly isLearned: boolean
  /** When it is to be asked next. */
  readonly dueAtMs: number
  /** Null where it was not asked yet. */
  readonly triedAtMs: number | null
  /** How often in a row it failed up to now. */
  readonly failures: number
  /** Why the last try failed, in words; null where it did not. */
  readonly failure: string | null
}

export interface AnchorReader {
  find(id: string): Promise<AnchorRow | null>
  /** In the order in which they were added. */
  all(): Promise<readonly AnchorRow[]>
  crl(place: AnchorCrlPlace): Promise<AnchorCrlRow | null>
  /** Of one trust anchor or, for null, of all, in the order of their places. */
  crlHeads(id: string | null): Promise<readonly AnchorCrlHead[]>
  /** Of one trust anchor or, for null, of all: those of the operator first. */
  fetches(id: string | null): Promise<readonly AnchorFetchRow[]>
}

export interface Anchors extends AnchorReader {
  insert(row: AnchorRow): Promise<void>
  /** Writes state, how revocations count, sources, the authorities below, and when it changed. */
  update(row: AnchorRow): Promise<void>
  /** With its CRLs and the addresses of those. */
  remove(id: string): Promise<void>
  /** In the place of the one that was there. */
  saveCrl(row: AnchorCrlRow): Promise<void>
  removeCrl(place: AnchorCrlPlace): Promise<void>
  /** In the place of the one that was there. */
  saveFetch(row: AnchorFetchRow): Promise<void>
  removeFetch(row: Pick<AnchorFetchRow, 'anchorId' | 'url'>): Promise<void>
}
