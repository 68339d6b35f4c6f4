/** Trust anchors, and the CRLs and OCSP responders of others. */
export const anchorLimits = {
  /** Trust anchors of a hub: authorities of makers and plants, not of devices. */
  anchorsMax: 64,
  /** A CRL that is given for a trust anchor: some 500,000 revocations. */
  anchorCrlBytesMax: 24 * 1024 * 1024,
  /** A part of a CRL: authorities cut theirs so that each stays small, and there are many. */
  anchorCrlPartBytesMax: 1024 * 1024,
  /** Certificates above a trust anchor, up to its root. */
  anchorChainMax: 4,
  /** Authorities of a trust anchor that stand between it and devices: those of a maker with a factory for each product. */
  anchorsBelowMax: 32,
  /** CRLs of one trust anchor that are kept: one for each authority and, where they are in parts, for each part. */
  anchorCrlsMax: 256,
  /** Addresses of CRLs that an operator names for one trust anchor: one for each authority. */
  anchorCrlUrlsMax: 32,
  /** Addresses of CRLs that certificates of one trust anchor have named, and that are fetched from then on. */
  anchorCrlUrlsLearnedMax: 128,
  /** Hosts on private networks that certificates of one trust anchor may name. */
  anchorHostsMax: 16,
  /** The address of a CRL or of a responder, in characters: longer ones break caches and proxies. */
  statusUrlCharsMax: 1_024,
  /** Redirects that are followed to a CRL. */
  statusRedirectsMax: 3,
  /** The whole fetching of a CRL: 24 MiB in that time come over 7 Mbit/s. */
  crlFetchMs: 30_000,
  /** The question to a responder of somebody else, while a device waits for its CONNACK. */
  ocspQuestionMs: 5_000,
  /** How long a device waits for a CRL whose address its certificate was the first to name. */
  crlLearnWaitMs: 5_000,
  /** Questions to responders of others at one time, in each gate. */
  ocspQuestionsMax: 32,
  /** Certificates whose status by OCSP is kept in memory, in each gate: some 200 bytes each. */
  ocspWordsKeptMax: 100_000,
  /** For how long word of a responder counts that says nothing about it, and how long it is kept at the most: an hour. */
  ocspWordAgeSec: 3_600,
  /** Responders that did not answer and are remembered for that. */
  ocspRespondersMax: 256,
  /** How long a responder that did not answer is not asked again, and a certificate not asked about of which none knew. */
  ocspRetryMs: 10_000,
  /** An answer of a responder of somebody else, with a certificate or two. */
  ocspAnswerBytesMax: 64 * 1024,
  /** Certificates in it. */
  ocspAnswerCertificatesMax: 4,
  /** How far the clock of a responder may be ahead. */
  statusClockSkewSec: 300,
  /** Live sessions whose certificates are asked about again in one sweep. */
  ocspSweptMax: 2_000,
  /** How often is looked which CRLs are due to be fetched. */
  crlFetchLookMs: 30_000,
  /** Identities that certificates of trust anchors may register in a minute: a plant that comes on line, and no flood. */
  firstConnectionsPerMinuteMax: 600,
} as const
