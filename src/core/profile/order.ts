/** What an operator who orders one certificate may say beside the name of the profile. */

export interface Order {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emails: readonly string[]
  /** How long the certificate shall be good; null for as long as the profile says. */
  readonly lifetimeSec: number | null
  /** Beside those of the profile, dotted. */
  readonly extendedKeyUsage: readonly string[]
}

/** What everybody orders who is not an operator: what the profile and the registry say. */
export const emptyOrder: Order = {
  dnsNames: [],
  ipAddresses: [],
  emails: [],
  lifetimeSec: null,
  extendedKeyUsage: [],
}
