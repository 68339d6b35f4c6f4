/** Certificates: what is read of a stranger, what an order can ask for, and paths that are built. */
export const certificateLimits = {
  /** Names in one certificate: with the longest DNS names it still fits into `derBytesMax`, and microcontrollers hold it. */
  certificateNamesMax: 32,
  /** The longest life of a certificate that an order can ask for, in seconds; profiles allow less. */
  orderLifetimeSecMax: 10 * 365 * 86_400,
  /** Extended key usages that an order can ask for. */
  orderPurposesMax: 16,
  /** How long the same order for the same key is answered with the same certificate, in seconds. */
  orderRepeatedSec: 600,
  /** Certificates in the file of a server certificate that the operator brings: public chains have three or four. */
  broughtChainMax: 8,
  /** That file, and the file of its key: eight certificates with RSA-4096 keys take 20 KiB. */
  broughtFileBytesMax: 64 * 1024,
  /** How long before its end the log warns of a certificate that the operator brings, in seconds. */
  broughtEndsSoonSec: 14 * 86_400,
  /** Certificates in a path that is sent or looked for: an issuing authority, a root that another one certifies, and room. */
  certificatePathMax: 8,
  /** Depth of nested DER from a stranger: a certificate needs 9. */
  derDepthMax: 16,
  /** A certificate or certificate request from a stranger, in DER. */
  derBytesMax: 16 * 1024,
  /** A name in a certificate that a pattern is held against, in code units. */
  certificateNameCharsMax: 256,
} as const
