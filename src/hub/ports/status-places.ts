import type { StatusUrls } from '../../core/profile/templates.ts'

/** What a certificate will say of where its status is told. */
export interface StatusPlace extends StatusUrls {
  /** The shard that its distribution point names; null for the full CRL. */
  readonly crlShard: number | null
}

export interface StatusPlaces {
  /**
   * A place for a certificate that is about to be signed.
   *
   * @param notAfterSec its last good second
   * @throws HubError `store-unavailable`
   */
  placeFor(authorityId: string, notAfterSec: number): Promise<StatusPlace>
}
