/** What certificates and CRLs of one shard call it by. */

/** The URL of a shard. @param base the address before the path, without a slash at its end */
export function crlShardUrl(base: string, authorityId: string, shard: number): string {
  return `${base}/crl/${authorityId}/${shard}.crl`
}

/** The base of a shard, from the URL in a certificate that names it. */
export function crlShardBase(url: string): string {
  return url.slice(0, Math.max(0, url.lastIndexOf('/crl/')))
}
