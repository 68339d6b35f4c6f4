/** CRLs and OCSP answers of the hub. */
export const statusLimits = {
  /**
   * Certificates that name one shard of an authority's CRL. Whatever is revoked, that CRL stays below 700 KiB, and a
   * revocation costs no more than making it anew.
   */
  crlShardCertificatesMax: 16_384,
  /** Places in a shard that a process takes at one time: what it has not used when it ends is lost. */
  crlPlacesTaken: 256,
  /** Contents of CRLs that are kept in memory to be served: ninety full shards, or one full CRL of a million certificates. */
  crlContentsKeptBytes: 64 * 1024 * 1024,
  /** An OCSP request: eight certificates, a nonce of 128 octets and the certificate of a client that signs fit. */
  ocspRequestBytesMax: 4 * 1024,
  /** Certificates in one OCSP request; RFC 9919 allows its clients one. Each costs a look at the registry. */
  ocspCertificatesMax: 8,
  /** Answers to OCSP requests that are kept, of 1.2 KiB each; those that were asked for least recently go first. */
  ocspAnswersKeptMax: 20_000,
  /** A nonce (RFC 9654 §2.1). */
  ocspNonceBytesMax: 128,
  /** Path of an OCSP request by GET, in characters: longer ones belong into a POST (RFC 6960 appendix A.1). */
  ocspGetCharsMax: 255,
} as const
