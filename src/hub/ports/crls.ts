/** CRLs as they are kept, and the shards that certificates name. */

/** In `CrlRow.shard`, the CRL of all that an authority has revoked. */
export const fullCrl = -1

/** How full a shard is, and how long it is needed. */
export interface CrlShardRow {
  readonly authorityId: string
  readonly shard: number
  /** Places that were given away for certificates that name it. */
  readonly places: number
  /** The last good second of the certificate that ends last of those that name it. */
  readonly notAfterSec: number
}

export interface CrlRow {
  readonly authorityId: string
  /** `fullCrl`, or the number of a shard from 0. */
  readonly shard: number
  readonly number: bigint
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  /** The CRL in DER. */
  readonly crl: Uint8Array
  /** The newest event when it was made: what was revoked up to there stands in it. */
  readonly eventNumber: number
}
export interface CrlReader {
  latest(authorityId: string, shard: number): Promise<CrlRow | null>
  /** Without their contents: which CRLs of an authority there are. */
  ofAuthority(authorityId: string): Promise<readonly Omit<CrlRow, 'crl'>[]>
  /** Of an authority, ascending. */
  shards(authorityId: string): Promise<readonly CrlShardRow[]>
}
export interface Crls extends CrlReader {
  /** Replaces the CRL of that authority and shard. */
  save(row: CrlRow): Promise<void>
  saveShard(row: CrlShardRow): Promise<void>
}
