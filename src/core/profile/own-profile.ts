/** Profiles that an operator writes: what no profile may ask for, and what would contradict itself. */
import { HubError, quote } from '../errors.ts'
import { limits } from '../limits.ts'
import { oidName, oids } from '../x509/oids.ts'
import { builtInProfile, deviceProfile } from './built-in.ts'
import { parseBound } from './name-bounds.ts'
import { assertPattern } from './pattern.ts'
import type { NameSources, Profile } from './profile.ts'
import { mayRepeat, subjectAttribute } from './subject.ts'

/** Operations of EST (RFC 7030 §3.2.2): a label before them must not be one. */
const estOperations = ['cacerts', 'simpleenroll', 'simplereenroll', 'fullcmc', 'serverkeygen', 'csrattrs']

/** Purposes with which a certificate would speak for an authority, or for anything at all. */
const reservedPurposes: ReadonlyMap<string, string> = new Map([
  [oids.anyExtendedKeyUsage, 'it stands for every purpose there is'],
  [oids.ocspSigning, 'its holder answers for the authority; the hub makes such certificates for itself'],
  [oids.timeStamping, 'it must stand alone and critical (RFC 3161 §2.3), and devices refuse that'],
  ...[oids.scvpServer, oids.cmcCa, oids.cmcRa, oids.cmcArchive, oids.cmKeyGeneration, oids.microsoftRequestAgent].map(
    (oid) => [oid, 'its holder acts as an authority'] as const,
  ),
])

/**
 * A profile of an operator's own, its bounds in their usual spelling.
 *
 * @param profile of the right types, as the schema of the API has checked
 * @throws HubError `profile-built-in` for a name that is taken for ever, `profile-invalid` for the first contradiction
 */
export function parseOwnProfile(profile: Profile): Profile {
  assertName(profile.name)
  assertSubject(profile)
  assertPurposes(profile)
  assertClientNamed(profile)
  assertKeys(profile)
  assertTimes(profile)
  const { dns, ip, email } = profile.names
  const names = {
    ...profile.names,
    dns: parseSources(dns, 'dns'),
    ip: parseSources(ip, 'ip'),
    email: parseSources(email, 'email'),
  }
  assertUses(profile)
  return { ...profile, names }
}

/**
 * The profile that a row of the registry defines.
 *
 * @param definition the profile as JSON; what a later version has added to profiles is as a device has it
 */
export function profileFromDefinition(definition: string): Profile {
  return parseOwnProfile({ ...deviceProfile, ...JSON.parse(definition) })
}

function assertName(name: string): void {
  if (builtInProfile(name) !== null) throw new HubError('profile-built-in', `the profile ${quote(name)} is built in`)
  if (!/^[a-z][a-z0-9-]*$/.test(name) || name.length > limits.profileNameCharsMax) {
    throw invalid(`${quote(name)} is not the name of a profile`, {
      hint: `use 1 to ${limits.profileNameCharsMax} characters of a-z 0-9 -, a letter first`,
    })
  }
  if (estOperations.includes(name))
    throw invalid(`${quote(name)} is an operation of EST, so no profile can be named so`)
}

function assertSubject({ subject, compatibility }: Profile): void {
  const seen = new Set<string>()
  for (const { type, value } of subject) {
    if (seen.has(type) && !mayRepeat(type)) throw invalid(`the subject has the attribute ${type} twice`)
    seen.add(type)
    assertPattern(value, 'subject', `the ${type} of the subject`)
    // Without a placeholder it is the same in every certificate, so that it can be judged now.
    if (!value.includes('{')) reworded(() => subjectAttribute(type, value))
  }
  if (compatibility === 'mbedtls' && !seen.has('commonName')) {
    throw invalid('a profile for mbedTLS needs a commonName: its servers read no other name of a client before 3.4')
  }
}

/**
 * Brokers take who is connected from the common name. What a client has there is its id, which the registry gives once, and
 * nothing that somebody may edit.
 */
function assertClientNamed({ subject, extendedKeyUsage, optionalExtendedKeyUsage, mayConnect }: Profile): void {
  if (![...extendedKeyUsage, ...optionalExtendedKeyUsage].includes(oids.clientAuth)) return
  const common = subject.find(({ type }) => type === 'commonName')?.value
  if (common === '{id}' || (common === undefined && !mayConnect)) return
  const what = common === undefined ? 'there is none' : `it is ${quote(common)}`
  throw invalid(`the commonName of a client is "{id}", and ${what}`, {
    hint: 'brokers take who is connected from it; put other things into other attributes of the subject',
  })
}

function assertPurposes({ keyUsage, extendedKeyUsage, optionalExtendedKeyUsage }: Profile): void {
  if (keyUsage.length === 0) throw invalid('a certificate without key usage could be used for anything')
  const ofAuthority = keyUsage.find((usage) => usage === 'keyCertSign' || usage === 'cRLSign')
  if (ofAuthority !== undefined) throw invalid(`the key usage ${ofAuthority} is for authorities`)
  const half = keyUsage.find((usage) => usage === 'encipherOnly' || usage === 'decipherOnly')
  if (half !== undefined && !keyUsage.includes('keyAgreement')) {
    throw invalid(`the key usage ${half} means nothing without keyAgreement`)
  }
  if (extendedKeyUsage.length === 0)
    throw invalid('a certificate without extended key usage could be used for anything')
  const purposes = [...extendedKeyUsage, ...optionalExtendedKeyUsage]
  for (const purpose of purposes) {
    const reason = reservedPurposes.get(purpose)
    if (reason !== undefined) throw invalid(`the extended key usage ${oidName(purpose)} is not given: ${reason}`)
  }
  const twice = purposes.find((purpose, index) => purposes.indexOf(purpose) !== index)
  if (twice !== undefined) throw invalid(`the extended key usage ${oidName(twice)} is named twice`)
  const serves: readonly string[] = [oids.clientAuth, oids.serverAuth]
  if (purposes.some((purpose) => serves.includes(purpose)) && !keyUsage.some((usage) => forTls.has(usage))) {
    throw invalid('TLS needs the key usage digitalSignature or keyAgreement (RFC 5280 §4.2.1.12)')
  }
}

const forTls: ReadonlySet<string> = new Set(['digitalSignature', 'keyAgreement'])

function assertKeys({ keyTypes, keyUsage, compatibility }: Profile): void {
  if (keyTypes.length === 0) throw invalid('a profile allows at least one type of key')
  const isRsa = (type: string) => type.startsWith('RSA')
  if (keyUsage.some((usage) => usage === 'keyEncipherment' || usage === 'dataEncipherment') && !keyTypes.every(isRsa)) {
    throw invalid('keyEncipherment and dataEncipherment are for RSA keys alone (RFC 8813 §3)', {
      hint: 'leave them out (TLS with ECDHE does not need them), or allow only RSA keys',
    })
  }
  if (keyUsage.includes('keyAgreement') && !keyTypes.every((type) => type.startsWith('P-'))) {
    throw invalid('keyAgreement is for ECDSA keys alone (RFC 4055 §1.2, RFC 8410 §5)')
  }
  if (compatibility === 'mbedtls' && keyTypes.includes('Ed25519')) throw invalid('mbedTLS does not read Ed25519 keys')
}

function assertTimes({ lifetimeSec, lifetimeMaxSec }: Profile): void {
  if (lifetimeSec > lifetimeMaxSec) {
    throw invalid(`the lifetime of ${lifetimeSec} s is longer than the longest one of ${lifetimeMaxSec} s`)
  }
}

function parseSources(sources: NameSources, kind: 'dns' | 'ip' | 'email'): NameSources {
  for (const pattern of sources.patterns) assertPattern(pattern, kind, `the pattern for ${kind} names`)
  const { requester } = sources
  return { ...sources, requester: requester === 'any' ? requester : requester.map((bound) => parseBound(bound, kind)) }
}

function assertUses({ names, extendedKeyUsage, mayConnect, compatibility }: Profile): void {
  if (extendedKeyUsage.includes(oids.serverAuth) && isSilent(names.dns) && isSilent(names.ip)) {
    throw invalid('the certificate of a server needs names: give "dns" or "ip" a source')
  }
  if (mayConnect && !extendedKeyUsage.includes(oids.clientAuth)) {
    throw invalid('who connects as a client needs the extended key usage clientAuth')
  }
  if (names.addressesAsDns && compatibility !== 'mbedtls') {
    throw invalid('addresses as DNS names are for the compatibility "mbedtls"; others refuse or ignore them')
  }
}

function isSilent({ patterns, registry, requester }: NameSources): boolean {
  return patterns.length === 0 && !registry && requester.length === 0
}

/** What a name refuses is here a fault of the profile. */
function reworded(parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    if (error instanceof HubError) throw invalid(error.message, { cause: error })
    throw error
  }
}

function invalid(message: string, detail: { readonly hint?: string; readonly cause?: unknown } = {}): HubError {
  return new HubError('profile-invalid', message, detail)
}
