/**
 * What a certificate will say, made from profile, registry and order before anybody looks at a certificate request. So a
 * request can only be compared with it, and never change it.
 */
import { HubError, quote } from '../errors.ts'
import { type Realm, spiffeId } from '../identity/id.ts'
import type { Identity, IdentityNames } from '../identity/identity.ts'
import { isDnsName, parseDnsName, parseEmail, parseIpAddress } from '../identity/names.ts'
import { limits } from '../limits.ts'
import { encodeName, type NewNameAttribute } from '../x509/name.ts'
import { oidName, oids } from '../x509/oids.ts'
import { liesWithin, type OrderedNameKind } from './name-bounds.ts'
import { emptyOrder, type Order } from './order.ts'
import { expandPattern, type PlaceholderValues } from './pattern.ts'
import type { Profile } from './profile.ts'
import { subjectAttribute, subjectCharsMax } from './subject.ts'

/** What the registry knows of an identity and a profile may use. */
export type IdentityFacts = Pick<Identity, 'id' | 'kind' | 'group' | 'attributes' | 'names'>

export interface CertificateContent {
  /** The profile with lifetime and extended key usages as they were ordered. */
  readonly profile: Profile
  readonly identityId: Identity['id']
  readonly subjectAttributes: readonly NewNameAttribute[]
  /** Name in DER. */
  readonly subject: Uint8Array
  /** The SPIFFE ID. */
  readonly uri: string
  /** In their usual spelling, each once; with addresses among them where the profile writes those as DNS names too. */
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emails: readonly string[]
}

/**
 * @param order what an operator asks for; without one the profile and the registry decide alone
 * @throws HubError `attribute-missing`, `name-invalid`, `names-missing`, `order-asks-too-much`
 */
export function certificateContent(
  profile: Profile,
  identity: IdentityFacts,
  realm: Realm,
  order: Order = emptyOrder,
): CertificateContent {
  const asOrdered = orderedProfile(profile, order)
  const names = alternativeNames(asOrdered, identity, realm, order)
  const serves = asOrdered.extendedKeyUsage.includes(oids.serverAuth)
  const first = names.dnsNames[0] ?? names.ipAddresses[0] ?? null
  if (serves && first === null) {
    throw new HubError('names-missing', `${quote(identity.id)} has no name for a certificate of ${quote(profile.name)}`)
  }
  const subjectAttributes = subjectOf(asOrdered, { ...placeholderValues(identity, realm), name: first })
  const addresses = names.ipAddresses.filter((address) => !address.includes(':'))
  const dnsNames = profile.names.addressesAsDns ? [...names.dnsNames, ...addresses] : names.dnsNames
  if (serves && dnsNames.length === 0) assertNoHostName(subjectAttributes)
  return {
    profile: asOrdered,
    identityId: identity.id,
    subjectAttributes,
    subject: encodeName(subjectAttributes),
    uri: spiffeId(realm, identity.kind, identity.id),
    ...names,
    dnsNames,
  }
}

function orderedProfile(profile: Profile, { lifetimeSec, extendedKeyUsage }: Order): Profile {
  const added = extendedKeyUsage.filter((purpose) => !profile.extendedKeyUsage.includes(purpose))
  const excess = added.find((purpose) => !profile.optionalExtendedKeyUsage.includes(purpose))
  if (excess !== undefined) {
    throw tooMuch(profile, `the extended key usage ${oidName(excess)}`)
  }
  const lifetime = lifetimeSec ?? profile.lifetimeSec
  if (lifetime > profile.lifetimeMaxSec) {
    throw tooMuch(profile, `${daysText(lifetime)}, and ${daysText(profile.lifetimeMaxSec)} are the most`)
  }
  if (lifetime < limits.profileLifetimeSecMin) throw tooMuch(profile, `${lifetime} s, which is no use to anybody`)
  return { ...profile, lifetimeSec: lifetime, extendedKeyUsage: [...profile.extendedKeyUsage, ...new Set(added)] }
}

function daysText(seconds: number): string {
  return seconds % 86_400 === 0 ? `${seconds / 86_400} days` : `${seconds} s`
}

function tooMuch(profile: Profile, what: string): HubError {
  return new HubError('order-asks-too-much', `the order asks profile ${quote(profile.name)} for ${what}`)
}

function placeholderValues(identity: IdentityFacts, realm: Realm): Omit<PlaceholderValues, 'name'> {
  return { id: identity.id, kind: identity.kind, group: identity.group, realm, attributes: identity.attributes }
}

const kinds = {
  dns: { parse: parseDnsName, field: 'dnsNames' },
  ip: { parse: parseIpAddress, field: 'ipAddresses' },
  email: { parse: parseEmail, field: 'emails' },
} as const satisfies Record<OrderedNameKind, { parse(value: string): string; field: keyof IdentityNames }>

function alternativeNames(profile: Profile, identity: IdentityFacts, realm: Realm, order: Order): IdentityNames {
  const namesOf = (kind: OrderedNameKind) => namesOfKind(kind, profile, identity, realm, order)
  const names = { dnsNames: namesOf('dns'), ipAddresses: namesOf('ip'), emails: namesOf('email') }
  const count = names.dnsNames.length + names.ipAddresses.length + names.emails.length
  if (count <= limits.certificateNamesMax) return names
  throw new HubError('name-invalid', `${count} names are more than ${limits.certificateNamesMax} for one certificate`)
}

function namesOfKind(
  kind: OrderedNameKind,
  profile: Profile,
  identity: IdentityFacts,
  realm: Realm,
  order: Order,
): readonly string[] {
  const { parse, field } = kinds[kind]
  const { patterns, registry, requester } = profile.names[kind]
  const values = { ...placeholderValues(identity, realm), name: null }
  const decided = new Set([
    ...patterns.map((pattern) => parse(expandPattern(pattern, kind, values))),
    ...(registry ? identity.names[field].map(parse) : []),
  ])
  for (const name of order[field].map(parse)) {
    if (!decided.has(name) && !liesWithin(name, requester, kind)) throw tooMuch(profile, `the name ${quote(name)}`)
    decided.add(name)
  }
  return [...decided]
}

function subjectOf({ subject }: Profile, values: PlaceholderValues): readonly NewNameAttribute[] {
  return (
    subject
      // A name of a server may be longer than a common name; the alternative names have it whole.
      .filter(({ type, value }) => value !== '{name}' || (values.name?.length ?? 0) <= subjectCharsMax(type))
      .map(({ type, value }) => subjectAttribute(type, expandPattern(value, 'subject', values)))
  )
}

/**
 * Where a server has no DNS name, OpenSSL and others take the common name for one, so that an id could name a server that
 * nobody granted.
 */
function assertNoHostName(subject: readonly NewNameAttribute[]): void {
  const commonName = subject.find(({ oid }) => oid === oids.commonName)?.value ?? ''
  if (!commonName.includes('.') || !isDnsName(commonName.toLowerCase())) return
  throw new HubError('name-invalid', `the common name ${quote(commonName)} would be taken for the name of the server`, {
    hint: 'give it a DNS name beside its addresses',
  })
}
