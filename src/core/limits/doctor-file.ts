/** Files that the doctor looks at. */
export const doctorFileLimits = {
  /** Files that are looked at together: a device has five, an operator's desk some dozens. */
  doctorFilesMax: 64,
  /** Entries of one folder that are gone through to find them. */
  doctorFolderEntriesMax: 4_096,
  /** Certificates of one file; the bundle of a system has 150, and is not what a device is given. */
  doctorCertificatesMax: 32,
  /** The file of a passphrase: a line of the longest passphrase that anybody types. */
  doctorPassphraseBytesMax: 1_024,
  /**
   * Rounds that all tries of passphrases in one examination may cost: the dearest key that is read four times, one of .NET thirty
   * times; seconds under PBKDF2, and half a minute where a PFX is all of it.
   */
  doctorRoundsMax: 20_000_000,
  /** Faults of one PEM file that are told: who has seen the first has seen the last. */
  doctorPemFaultsMax: 8,
  /** How far clocks of device and hub may be apart: certificates begin some minutes before they are issued. */
  doctorClockSkewSecMax: 300,
} as const
