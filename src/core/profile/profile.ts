/** Certificate profiles: what a certificate of each kind may do and how long it lives. */
import type { KeyUsage } from '../x509/extensions.ts'
import { oids } from '../x509/oids.ts'
import type { KeyType } from '../x509/public-key.ts'

export interface Profile {
  /** Stored with each credential; never given to another profile. */
  readonly name: string
  readonly keyUsage: readonly KeyUsage[]
  /** Dotted object identifiers; none in the certificates of authorities. */
  readonly extendedKeyUsage: readonly string[]
  /** Certificate authorities that may follow below; null for a certificate that is no authority. */
  readonly pathLength: number | null
  /** How long a certificate stays good, counted from its issue. */
  readonly lifetimeSec: number
  /** How long before its issue it starts, for peers whose clock runs behind. */
  readonly backdateSec: number
  readonly keyTypes: readonly KeyType[]
  /** Whether its holder may come in as a client of the gate. */
  readonly mayConnect: boolean
}

const minuteSec = 60
const hourSec = 60 * minuteSec
const daySec = 24 * hourSec
const yearSec = 365 * daySec

/** A device: TLS client only. Ten days bound the harm of a stolen key that nobody noticed. */
export const deviceProfile: Profile = {
  name: 'device',
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [oids.clientAuth],
  pathLength: null,
  lifetimeSec: 10 * daySec,
  backdateSec: 5 * minuteSec,
  keyTypes: ['P-256', 'P-384', 'RSA'],
  mayConnect: true,
}

/** The hub's own listeners: TLS server only. */
export const serverProfile: Profile = {
  name: 'server',
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [oids.serverAuth],
  pathLength: null,
  lifetimeSec: 30 * daySec,
  backdateSec: 5 * minuteSec,
  keyTypes: ['P-256'],
  mayConnect: false,
}

/** The anchor that devices and brokers are given. */
export const rootProfile: Profile = {
  name: 'root',
  keyUsage: ['keyCertSign', 'cRLSign'],
  extendedKeyUsage: [],
  pathLength: 1,
  lifetimeSec: 20 * yearSec,
  backdateSec: 5 * minuteSec,
  keyTypes: ['P-256'],
  mayConnect: false,
}

/** The authority that signs what devices and listeners use. */
export const issuingProfile: Profile = {
  name: 'issuing',
  keyUsage: ['keyCertSign', 'cRLSign'],
  extendedKeyUsage: [],
  pathLength: 0,
  lifetimeSec: 10 * yearSec,
  backdateSec: 5 * minuteSec,
  keyTypes: ['P-256'],
  mayConnect: false,
}

const profiles: ReadonlyMap<string, Profile> = new Map(
  [deviceProfile, serverProfile, rootProfile, issuingProfile].map((profile) => [profile.name, profile]),
)

/** The profile of that name, or null when there is none. */
export function profileNamed(name: string): Profile | null {
  return profiles.get(name) ?? null
}
