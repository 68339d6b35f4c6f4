/** Certificate and CRL extensions as they are written (RFC 5280 §4.2, §5.2). */
import { assert, HubError, quote } from '../errors.ts'
import { contextConstructed, contextPrimitive } from './der-tags.ts'
import {
  derBoolean,
  derElement,
  derInteger,
  derNamedBits,
  derNull,
  derOctetString,
  derOid,
  derSequence,
} from './der-writer.ts'
import { oids } from './oids.ts'

export interface Extension {
  /** Dotted. */
  readonly oid: string
  readonly critical: boolean
  /** The DER of the extension itself: the content of the OCTET STRING that carries it. */
  readonly value: Uint8Array
}

/** Key usages in the order of their bits (RFC 5280 §4.2.1.3). */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUsage = (typeof keyUsages)[number]

/** Names in a subjectAltName; the order of the kinds is the order in the extension. */
export interface SubjectAltNames {
  readonly uris?: readonly string[]
  readonly dnsNames?: readonly string[]
  /** IPv4 or IPv6 addresses as text, without a zone. */
  readonly ipAddresses?: readonly string[]
  /** Addresses of mailboxes in ASCII (rfc822Name). */
  readonly emails?: readonly string[]
}

/** Extensions as they stand in a certificate or CRL: the whole SEQUENCE. */
export function encodeExtensions(extensions: readonly Extension[]): Uint8Array {
  return derSequence(...extensions.map(encodeExtension))
}

/** basicConstraints, always critical: in CAs it must be, and this hub writes it nowhere else (§4.2.1.9). */
export function basicConstraints(pathLength: number): Extension {
  return {
    oid: oids.basicConstraints,
    critical: true,
    value: derSequence(derBoolean(true), derInteger(pathLength)),
  }
}

/** keyUsage, critical (§4.2.1.3). At least one usage. */
export function keyUsage(usages: readonly KeyUsage[]): Extension {
  const numbers = usages.map((usage) => keyUsages.indexOf(usage))
  return { oid: oids.keyUsage, critical: true, value: derNamedBits(numbers) }
}

/** extKeyUsage, not critical (§4.2.1.12). @param purposes dotted object identifiers, at least one */
export function extendedKeyUsage(purposes: readonly string[]): Extension {
  assert(purposes.length > 0, 'extKeyUsage names a purpose')
  return { oid: oids.extendedKeyUsage, critical: false, value: derSequence(...purposes.map(derOid)) }
}

/**
 * subjectAltName (§4.2.1.6). At least one name.
 *
 * @param critical true exactly where the subject is empty
 * @throws HubError `config-invalid` for a name that is not ASCII, or not an address
 */
export function subjectAltName(names: SubjectAltNames, critical: boolean): Extension {
  const generalNames = [
    ...(names.uris ?? []).map((uri) => derElement(contextPrimitive(6), asciiOctets(uri))),
    ...(names.dnsNames ?? []).map((name) => derElement(contextPrimitive(2), asciiOctets(name))),
    ...(names.ipAddresses ?? []).map((address) => derElement(contextPrimitive(7), addressOctets(address))),
    ...(names.emails ?? []).map((email) => derElement(contextPrimitive(1), asciiOctets(email))),
  ]
  assert(generalNames.length > 0, 'subjectAltName holds a name')
  return { oid: oids.subjectAltName, critical, value: derSequence(...generalNames) }
}

/** subjectKeyIdentifier, not critical (§4.2.1.2). */
export function subjectKeyIdentifier(identifier: Uint8Array): Extension {
  return { oid: oids.subjectKeyIdentifier, critical: false, value: derOctetString(identifier) }
}

/** authorityKeyIdentifier with the key identifier alone, not critical (§4.2.1.1). */
export function authorityKeyIdentifier(identifier: Uint8Array): Extension {
  const value = derSequence(derElement(contextPrimitive(0), identifier))
  return { oid: oids.authorityKeyIdentifier, critical: false, value }
}

/** Where an authority's OCSP responder answers and its own certificate can be fetched. */
export interface AuthorityAccess {
  readonly ocspUrl?: string
  readonly caIssuersUrl?: string
}

/** authorityInfoAccess, not critical (§4.2.2.1). At least one URL; OCSP stands first. */
export function authorityInfoAccess({ ocspUrl, caIssuersUrl }: AuthorityAccess): Extension {
  const ways = [
    ...(ocspUrl === undefined ? [] : [[oids.ocspAccess, ocspUrl] as const]),
    ...(caIssuersUrl === undefined ? [] : [[oids.caIssuersAccess, caIssuersUrl] as const]),
  ]
  assert(ways.length > 0, 'authorityInfoAccess names a way')
  const value = derSequence(...ways.map(([oid, url]) => derSequence(derOid(oid), uriName(url))))
  return { oid: oids.authorityInfoAccess, critical: false, value }
}

/** id-pkix-ocsp-nocheck: nobody asks about the status of a responder's own certificate (RFC 6960 §4.2.2.2.1). */
export function ocspNoCheck(): Extension {
  return { oid: oids.ocspNoCheck, critical: false, value: derNull() }
}

/** cRLDistributionPoints with one point that is one URL, not critical (§4.2.1.13). */
export function crlDistributionPoint(url: string): Extension {
  return { oid: oids.crlDistributionPoints, critical: false, value: derSequence(derSequence(pointName(url))) }
}

/**
 * issuingDistributionPoint, critical (§5.2.5): a CRL that covers the certificates of one distribution point alone. Readers
 * compare the name byte for byte with that in the certificate (§6.3.3 (b)(2)(i)).
 */
export function issuingDistributionPoint(url: string): Extension {
  return { oid: oids.issuingDistributionPoint, critical: true, value: derSequence(pointName(url)) }
}

/** A DistributionPointName that is one URL, in the tag [0] that carries it in both extensions. */
function pointName(url: string): Uint8Array {
  return derElement(contextConstructed(0), derElement(contextConstructed(0), uriName(url)))
}

function uriName(url: string): Uint8Array {
  return derElement(contextPrimitive(6), asciiOctets(url))
}

/** cRLNumber, not critical (§5.2.3). @param number 0 to 2^159 − 1 */
export function crlNumber(number: bigint): Extension {
  assert(number >= 0n && number < 1n << 159n, 'a CRL number takes at most 20 octets')
  return { oid: oids.crlNumber, critical: false, value: derInteger(number) }
}

function encodeExtension(extension: Extension): Uint8Array {
  const parts = [derOid(extension.oid), derOctetString(extension.value)] as const
  return extension.critical ? derSequence(parts[0], derBoolean(true), parts[1]) : derSequence(...parts)
}

function asciiOctets(text: string): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new HubError('config-invalid', `${quote(text)} cannot stand in a certificate: it is not printable ASCII`)
  }
  return Buffer.from(text, 'latin1')
}

/** The 4 or 16 octets of an address. @throws HubError `config-invalid` */
export function addressOctets(address: string): Uint8Array {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    const octets = address.split('.').map(Number)
    if (octets.every((octet) => octet <= 255)) return Uint8Array.from(octets)
  } else if (/^[0-9A-Fa-f:.]+$/.test(address) && address.includes(':') && URL.canParse(`http://[${address}]/`)) {
    return ipv6Octets(new URL(`http://[${address}]/`).hostname.slice(1, -1))
  }
  throw new HubError('config-invalid', `${quote(address)} is not an IP address`)
}

/** The text of 4 or 16 octets, IPv6 in the compressed form of RFC 5952; null for another length. */
export function addressText(octets: Uint8Array): string | null {
  if (octets.length === 4) return octets.join('.')
  if (octets.length !== 16) return null
  const groups = Buffer.from(octets).toString('hex').match(/.{4}/g) ?? []
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}

/** @param canonical as URL writes it: hexadecimal groups, at most one `::`, no dots */
function ipv6Octets(canonical: string): Uint8Array {
  const [head = '', tail] = canonical.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(8 - front.length - back.length).fill('0')
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex')
}
