/** Limits of the gate link, each with its reason; docs/limits.md lists them. */
export const linkLimits = {
  /** Gates on other machines that one hub serves. */
  gatesMax: 64,
  /** Connections to the gate link that have not shown a good certificate yet, in all and from one address (64 bits of an IPv6 one). */
  pendingMax: 64,
  pendingPerAddressMax: 8,
  /** A message on a gate link: a hundred attempts with all that they say. */
  messageBytesMax: 1024 * 1024,
  /** Attempts or counts in one such message. */
  toldMax: 100,
  /** Any text in it, such as the subject of a certificate or the sentence of an attempt. */
  textCharsMax: 2_048,
  /** What waits on the control connection for an end that does not read; past it the link is cut. */
  waitingBytesMax: 8 * 1024 * 1024,
  /** A certificate in it, in base64: longer than any that names a CRL. */
  certificateCharsMax: 32 * 1024,
  /** Time from a revocation to its sessions' end that is believed of a gate, whose clock may be another. */
  lagMsMax: 600_000,
  /** First uses that one gate may have asked for and not heard of: half of a plant that comes on line. */
  confirmsMax: 1_024,
  /** How often the hub says that it is there. */
  beatMs: 2_000,
  /** Silence after which either end takes the link for broken. */
  silenceMs: 10_000,
  /** Pause before a gate tries its link again; it doubles up to the longest, and half of it is by chance. */
  retryMs: 500,
  retryMsMax: 15_000,
  /** How long the old connection of a gate stays beside the one with its renewed certificate: what was asked there is answered. */
  handoverMs: 5_000,
  /** Attempts that a gate keeps for the hub while the link is down. */
  waitingMax: 5_000,
  /** Names of listeners of gates elsewhere that the hub tells apart in attempts and metrics. */
  listenersMax: 128,
} as const
