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
  /** Time for each step of a probe: a name, a connection, a handshake, an answer. A slow device network answers within it. */
  probeStepMs: 5_000,
  /** Time for a message to come back to who has sent it. */
  probeDeliveryMs: 3_000,
  /** How long a refusal of a certificate is waited for after a handshake of TLS 1.3, before anything is written. */
  probeRefusalMs: 300,
  /** Addresses of one name that are tried. */
  probeAddressesMax: 8,
  /** What a server sends in a handshake: the largest chain with a long list of authorities. */
  probeFlightBytesMax: 256 * 1024,
  /** Authorities that a server asks certificates of, as they are told of. */
  probeAuthoritiesShownMax: 8,
  /** Findings of one cause that are told of one file: the first ones show what is wrong. */
  findingsOfOneCauseMax: 8,
} as const
