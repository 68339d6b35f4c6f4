/** Authorities of the hub, and issuance that was cut off. */
export const authorityLimits = {
  /** The name of a hierarchy of authorities. */
  chainNameCharsMax: 32,
  /** Roots that a device can tell in one request. */
  rootsKeptMax: 8,
  /** How often it is looked at whether a roll-over can go on. */
  rollOverLookMs: 60_000,
  /** Devices that are named when it is asked who is not known to trust a new root. */
  unknownDevicesShownMax: 100,
  /** Time from the plan of a certificate to its last write; a busy registry answers within seconds. */
  intentCompletedMs: 5 * 60_000,
  /** Age at which an intent that nobody completed is revoked: beyond the above, with the clocks of two processes apart. */
  intentLapsesMs: 10 * 60_000,
  /** How often they are looked for. */
  intentsSweptEveryMs: 60_000,
} as const
