/** What the doctor looks at. */
export const doctorLimits = {
  /** A configuration of Mosquitto with what it includes, an access list or a password file: more is another file. */
  brokerConfigurationBytesMax: 4 * 1024 * 1024,
  /** Lines of it that are read: far beyond what people and generators write. */
  brokerConfigurationLinesMax: 100_000,
  /** Files of one `include_dir`, and names in a `capath`. */
  brokerFolderFilesMax: 4_096,
  /** A certificate, a key or a bundle of authorities that a configuration names. */
  brokerCertificateBytesMax: 4 * 1024 * 1024,
  /** A file of CRLs: a million entries take some 40 MiB. */
  brokerCrlBytesMax: 64 * 1024 * 1024,
  /** Certificates of one file that are read one by one; a bundle of public authorities has about 150. */
  brokerCertificatesMax: 512,
  /** Findings of one cause that are told of one file: the first ones show what is wrong. */
  findingsOfOneCauseMax: 8,
} as const
