/** CRLs as they are kept, and the shards that certificates name. */

/** In `CrlRow.shard`, the CRL of all that an authority has revoked. */
export const fullCrl = -1

/** How full a shard is, and how long it is needed. */
export interface CrlShardRow {
  readonly authorityId: string
  readonly shard: number
  /** The address that its URL begins with, in the certificates that name it and in its CRLs, for ever: `http://hub:8080`. */
  readonly base: string
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

/** What is known of a CRL without its content, which may be large. */
export type CrlHead = Omit<CrlRow, 'crl'>

export interface CrlReader {
  latest(authorityId: string, shard: number): Promise<CrlRow | null>
  head(authorityId: string, shard: number): Promise<CrlHead | null>
  /** Which CRLs of an authority there are, ascending by shard. */
  ofAuthority(authorityId: string): Promise<readonly CrlHead[]>
  shard(authorityId: string, shard: number): Promise<CrlShardRow | null>
  /** Those of an authority that are needed at or after that second, ascending. */
  shards(authorityId: string, notAfterSec: number): Promise<readonly CrlShardRow[]>
  /** The one with the highest number, of that base, or of any where it is null. */
  newestShard(authorityId: string, base: string | null): Promise<CrlShardRow | null>
}
export interface Crls extends CrlReader {
  /** Replaces the CRL of that authority and shard. */
  save(row: CrlRow): Promise<void>
  saveShard(row: CrlShardRow): Promise<void>
}
