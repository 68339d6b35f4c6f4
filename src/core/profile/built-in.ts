/** The profiles that every hub has. Their names are taken for ever. */
import { oids } from '../x509/oids.ts'
import { type NameSources, noNameSources, type Profile, type ProfileNames, type ProfileRenewal } from './profile.ts'

const minuteSec = 60
const hourSec = 60 * minuteSec
const daySec = 24 * hourSec
const yearSec = 365 * daySec

const noNames: ProfileNames = {
  dns: noNameSources,
  ip: noNameSources,
  email: noNameSources,
  addressesAsDns: false,
}

/** What the registry holds, and what an operator orders. */
const written: NameSources = { patterns: [], registry: true, requester: 'any' }
const serverNames: ProfileNames = { ...noNames, dns: written, ip: written }

/** A device that was off for a month comes back through an operator and not through a visit. */
const deviceRenewal: ProfileRenewal = {
  windowFrom: 2 / 3,
  afterExpirySec: 30 * daySec,
  quarantineAfterExpiry: true,
  pendingLapsesSec: 7 * daySec,
}
const attendedRenewal: ProfileRenewal = { ...deviceRenewal, afterExpirySec: 0, pendingLapsesSec: 30 * daySec }

/** A device: TLS client only. Ten days bound the harm of a stolen key that nobody noticed. */
export const deviceProfile: Profile = {
  name: 'device',
  description: 'TLS client: a device that connects to a broker',
  kinds: ['device', 'service'],
  subject: [{ type: 'commonName', value: '{id}' }],
  names: noNames,
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: [oids.clientAuth],
  optionalExtendedKeyUsage: [],
  pathLength: null,
  lifetimeSec: 10 * daySec,
  lifetimeMaxSec: 90 * daySec,
  backdateSec: 5 * minuteSec,
  keyTypes: ['P-256', 'P-384', 'RSA'],
  hash: null,
  chain: 'main',
  compatibility: 'modern',
  mayConnect: true,
  status: { crl: true, ocsp: true },
  excess: 'refuse',
  approval: false,
  renewal: deviceRenewal,
}

/** TLS server: the hub's own listeners, brokers, and servers on devices. 398 days are the most that browsers take. */
export const serverProfile: Profile = {
  ...deviceProfile,
  name: 'server',
  description: 'TLS server: a broker, or a server on a device, with DNS names and addresses',
  subject: [{ type: 'commonName', value: '{name}' }],
  names: serverNames,
  extendedKeyUsage: [oids.serverAuth],
  lifetimeSec: 30 * daySec,
  lifetimeMaxSec: 398 * daySec,
  mayConnect: false,
  renewal: { ...deviceRenewal, afterExpirySec: 0 },
}

/** A person: TLS client on a phone or laptop, where nothing renews by itself. */
export const userProfile: Profile = {
  ...deviceProfile,
  name: 'user',
  description: 'TLS client: a person with a phone or laptop, with e-mail addresses',
  kinds: ['user'],
  names: { ...noNames, email: { patterns: [], registry: true, requester: [] } },
  lifetimeSec: yearSec,
  lifetimeMaxSec: 2 * yearSec,
  mayConnect: false,
  renewal: attendedRenewal,
}

/** A device that is client and server at once. */
export const dualProfile: Profile = {
  ...deviceProfile,
  name: 'dual',
  description: 'TLS client and server: a device that connects to a broker and is connected to',
  names: serverNames,
  extendedKeyUsage: [oids.clientAuth, oids.serverAuth],
}

/**
 * A gate on another machine: a server to its clients and a client to its hub, with one key. It opens nothing but the gate link, and
 * its names are those of the registry: whoever has the key of a gate cannot ask for other ones.
 */
export const gateProfile: Profile = {
  ...dualProfile,
  name: 'gate',
  description: 'a gate on another machine: TLS server to its clients, TLS client to its hub',
  kinds: ['service'],
  names: { ...noNames, dns: { ...written, requester: [] }, ip: { ...written, requester: [] } },
  lifetimeSec: 30 * daySec,
  mayConnect: false,
  renewal: { ...deviceRenewal, afterExpirySec: 0, quarantineAfterExpiry: false },
}

/**
 * A server of somebody's own that asks the hub who its clients are (docs/verify.md): a server to its clients and a client to the hub, with one key.
 * It opens nothing else, and its names are those of the registry.
 */
export const verifierProfile: Profile = {
  ...gateProfile,
  name: 'verifier',
  description: 'a server that asks the hub about certificates: TLS server to its clients, TLS client to the hub',
}

/** What the hub's own have in common: nobody is granted them. */
const hubsOwn: Profile = {
  ...deviceProfile,
  kinds: [],
  subject: [],
  extendedKeyUsage: [],
  keyTypes: ['P-256', 'P-384', 'RSA', 'Ed25519'],
  mayConnect: false,
  status: { crl: false, ocsp: false },
  renewal: { ...attendedRenewal, pendingLapsesSec: daySec },
}

/** The anchor that devices and brokers are given. */
export const rootProfile: Profile = {
  ...hubsOwn,
  name: 'root',
  description: 'the anchor of the hub',
  keyUsage: ['keyCertSign', 'cRLSign'],
  pathLength: 1,
  lifetimeSec: 20 * yearSec,
  lifetimeMaxSec: 20 * yearSec,
}

/** The authority that signs what devices and listeners use. */
export const issuingProfile: Profile = {
  ...rootProfile,
  name: 'issuing',
  description: 'the authority that signs for the hub',
  pathLength: 0,
  lifetimeSec: 10 * yearSec,
  lifetimeMaxSec: 10 * yearSec,
}

/** A delegated responder (RFC 6960 §4.2.2.2). Nobody asks whether it was revoked, so it lives shortly. */
export const ocspProfile: Profile = {
  ...hubsOwn,
  name: 'ocsp',
  description: 'the OCSP responder of the hub',
  subject: [{ type: 'commonName', value: 'OCSP responder' }],
  extendedKeyUsage: [oids.ocspSigning],
  lifetimeSec: 7 * daySec,
  lifetimeMaxSec: 7 * daySec,
}

/** Those that can be granted, in the order in which they are listed. */
export const grantableProfiles: readonly Profile[] = [
  deviceProfile,
  serverProfile,
  userProfile,
  dualProfile,
  gateProfile,
  verifierProfile,
]

/** All of them, the hub's own last. */
export const builtInProfiles: readonly Profile[] = [...grantableProfiles, rootProfile, issuingProfile, ocspProfile]

const builtIn: ReadonlyMap<string, Profile> = new Map(builtInProfiles.map((profile) => [profile.name, profile]))

/** The built-in profile of that name, or null when there is none. */
export function builtInProfile(name: string): Profile | null {
  return builtIn.get(name) ?? null
}
