/** Certificate extensions as they are read. Every function throws `DerError`. */
import { DerError, DerReader, oidText, openDer, openSingle, smallInteger } from './der-reader.ts'
import { contextConstructed, contextPrimitive, tags } from './der-tags.ts'
import { addressText, type Extension, type KeyUsage, keyUsages } from './extensions.ts'
import { oidName, oids } from './oids.ts'

/** Extensions by object identifier; none may come twice (RFC 5280 §4.2). */
export type Extensions = ReadonlyMap<string, Extension>

export interface BasicConstraints {
  readonly ca: boolean
  /** CA certificates that may follow below, or null without a limit. */
  readonly pathLength: number | null
}

export interface GeneralNames {
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  /** As text; IPv6 compressed (RFC 5952). */
  readonly ipAddresses: readonly string[]
  /** Addresses of mailboxes (rfc822Name). */
  readonly emails: readonly string[]
  /** How many names of other kinds stand beside them. */
  readonly others: number
}

/** Reads a SEQUENCE OF Extension, from a reader that stands inside it. */
export function readExtensions(list: DerReader): Extensions {
  if (list.atEnd) throw new DerError('the list of extensions is empty')
  const extensions = new Map<string, Extension>()
  while (!list.atEnd) {
    const item = list.enter(tags.sequence, 'an extension')
    const oid = oidText(item.take(tags.oid, 'the type of an extension'))
    const critical = item.takeOptional(tags.boolean, 'the criticality of an extension')?.content[0] === 0xff
    const { content: value } = item.take(tags.octetString, `the extension ${oidName(oid)}`)
    item.assertEnd(`the extension ${oidName(oid)}`)
    if (extensions.has(oid)) throw new DerError(`the extension ${oidName(oid)} comes twice`)
    extensions.set(oid, { oid, critical, value })
  }
  return extensions
}

export function readBasicConstraints({ value }: Extension): BasicConstraints {
  const fields = openSingle(value, tags.sequence, 'basicConstraints')
  const ca = fields.takeOptional(tags.boolean, 'the cA flag')?.content[0] === 0xff
  const pathLength = fields.takeOptional(tags.integer, 'the path length')
  fields.assertEnd('basicConstraints')
  return { ca, pathLength: pathLength === null ? null : smallInteger(pathLength, 'the path length') }
}

export function readKeyUsage({ value }: Extension): readonly KeyUsage[] {
  const outer = openDer(value)
  const [, ...octets] = outer.take(tags.bitString, 'keyUsage').content
  outer.assertEnd('keyUsage')
  return keyUsages.filter((_, number) => (((octets[number >> 3] ?? 0) << (number & 7)) & 0x80) !== 0)
}

export function readExtendedKeyUsage({ value }: Extension): readonly string[] {
  const list = openSingle(value, tags.sequence, 'extKeyUsage')
  const purposes: string[] = []
  while (!list.atEnd) purposes.push(oidText(list.take(tags.oid, 'a purpose in extKeyUsage')))
  return purposes
}

export function readSubjectKeyIdentifier({ value }: Extension): Uint8Array {
  const outer = openDer(value)
  const { content } = outer.take(tags.octetString, 'subjectKeyIdentifier')
  outer.assertEnd('subjectKeyIdentifier')
  return content
}

/** The key identifier in it, or null when it names the issuer in another way. */
export function readAuthorityKeyIdentifier({ value }: Extension): Uint8Array | null {
  const fields = openSingle(value, tags.sequence, 'authorityKeyIdentifier')
  return fields.takeOptional(contextPrimitive(0), 'the key identifier')?.content ?? null
}

export function readSubjectAltName({ value }: Extension): GeneralNames {
  return readGeneralNames(openSingle(value, tags.sequence, 'subjectAltName'))
}

/** The URIs in all points, in order. */
export function readCrlDistributionPoints({ value }: Extension): readonly string[] {
  const points = openSingle(value, tags.sequence, 'cRLDistributionPoints')
  const uris: string[] = []
  while (!points.atEnd) {
    const point = points.enter(tags.sequence, 'a CRL distribution point')
    uris.push(...pointUris(point))
  }
  return uris
}

/** The one URL of an issuing distribution point that says nothing else (RFC 5280 §5.2.5). */
export function readIssuingDistributionPoint({ value, critical }: Extension): string {
  if (!critical) throw new DerError('the issuing distribution point is not critical')
  const point = openSingle(value, tags.sequence, 'issuingDistributionPoint')
  const [url, ...others] = pointUris(point)
  point.assertEnd('issuingDistributionPoint')
  if (url === undefined || others.length > 0) throw new DerError('the issuing distribution point is not one URL')
  return url
}

/**
 * Which certificates a CRL is about (RFC 5280 §5.2.5): the addresses by which they name it, none where it is about all of them. That it
 * is about certificates of users alone says nothing to who asks about those.
 */
export function readCrlScope({ value }: Extension): readonly string[] {
  const point = openSingle(value, tags.sequence, 'issuingDistributionPoint')
  const isNamed = point.nextTag === contextConstructed(0)
  const urls = pointUris(point)
  if (isNamed && urls.length === 0) throw new DerError('it is a part that certificates name by no address')
  point.takeOptional(contextPrimitive(1), 'onlyContainsUserCerts')
  if (!point.atEnd)
    throw new DerError('it is about some revocations alone: of authorities, for some reasons, or of others')
  return urls
}

/** One way to the authority. */
export interface AuthorityWay {
  /** Dotted. */
  readonly method: string
  /** Null where the place is named in another way. */
  readonly url: string | null
}

/** Every way to the authority that authorityInfoAccess names, in order. */
export function readAuthorityWays({ value }: Extension): readonly AuthorityWay[] {
  const list = openSingle(value, tags.sequence, 'authorityInfoAccess')
  const ways: AuthorityWay[] = []
  while (!list.atEnd) {
    const way = list.enter(tags.sequence, 'a way to the authority')
    const method = oidText(way.take(tags.oid, 'the method of a way to the authority'))
    const { tag, content } = way.next('the place of a way to the authority')
    way.assertEnd('a way to the authority')
    ways.push({ method, url: tag === uriTag ? ia5Text(content, 'a URI') : null })
  }
  return ways
}

/** Where an issuer's OCSP responder answers and its certificate can be fetched, each in order. */
export function readAuthorityInfoAccess(extension: Extension): {
  readonly ocsp: readonly string[]
  readonly caIssuers: readonly string[]
} {
  const ways = readAuthorityWays(extension)
  const urlsOf = (method: string) => ways.flatMap((way) => (way.method === method && way.url !== null ? [way.url] : []))
  return { ocsp: urlsOf(oids.ocspAccess), caIssuers: urlsOf(oids.caIssuersAccess) }
}

function pointUris(point: DerReader): readonly string[] {
  const name = point.takeOptional(contextConstructed(0), 'the name of a CRL distribution point')
  if (name === null) return []
  const fullName = new DerReader(name.content).takeOptional(contextConstructed(0), 'its full name')
  return fullName === null ? [] : readGeneralNames(new DerReader(fullName.content)).uris
}

const uriTag = contextPrimitive(6)
const emailTag = contextPrimitive(1)
const dnsTag = contextPrimitive(2)
const addressTag = contextPrimitive(7)

function readGeneralNames(list: DerReader): GeneralNames {
  const uris: string[] = []
  const dnsNames: string[] = []
  const ipAddresses: string[] = []
  const emails: string[] = []
  let others = 0
  while (!list.atEnd) {
    const { tag, content } = list.next('a name')
    if (tag === uriTag) uris.push(ia5Text(content, 'a URI'))
    else if (tag === dnsTag) dnsNames.push(ia5Text(content, 'a DNS name'))
    else if (tag === addressTag) ipAddresses.push(readAddress(content))
    else if (tag === emailTag) emails.push(ia5Text(content, 'an e-mail address'))
    else others += 1
  }
  return { uris, dnsNames, ipAddresses, emails, others }
}

function readAddress(octets: Uint8Array): string {
  const text = addressText(octets)
  if (text === null) throw new DerError(`an IP address has ${octets.length} octets`)
  return text
}

/** Printable ASCII only: a NUL or line feed in a name has no honest use and has fooled many programs. */
function ia5Text(octets: Uint8Array, what: string): string {
  const text = Buffer.from(octets).toString('latin1')
  if (!/^[\x20-\x7e]*$/.test(text)) throw new DerError(`${what} holds characters that are not printable ASCII`)
  return text
}
