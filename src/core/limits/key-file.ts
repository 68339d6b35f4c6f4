/** Files of keys and their passphrases. */
export const keyFileLimits = {
  /** A passphrase of a key file that an operator chose, in characters. */
  keyPassphraseCharsMin: 8,
  /** Beyond that a passphrase protects no better, and nobody types it. */
  keyPassphraseCharsMax: 64,
  /** A private key or a certificate of an authority in PEM, as it is sent: RSA-4096 takes 3,600. */
  keyFileCharsMax: 16_384,
  /** Rounds of PBKDF2 over a key file or each part of a modern PFX; .NET takes 600,000 in a whole file. */
  keyFileIterations: 100_000,
  /** Rounds in a compatible PFX: what OpenSSL has always written and everything reads. */
  compatiblePfxIterations: 2_048,
  /** Rounds in a file that is read: a few seconds of a small device. */
  keyFileIterationsMax: 5_000_000,
  /** A file of keys or certificates that is read: a PFX with a chain of RSA-4096 takes 8 KiB. */
  keyFileBytesMax: 64 * 1024,
} as const
