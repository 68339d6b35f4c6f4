/** Distinguished names (RFC 5280 §4.1.2.4): built from a common name, read from anything, compared by their bytes. */
import { type DerElement, DerError, DerReader, oidText } from './der-reader.ts'
import { tags } from './der-tags.ts'
import { derElement, derOid, derSequence, derSet, derUtf8String } from './der-writer.ts'
import { oids } from './oids.ts'

export interface NameAttribute {
  /** Type of the attribute, dotted. */
  readonly oid: string
  /** The value as text, with whatever characters it holds; `#` and hexadecimal where it is not a string. */
  readonly value: string
  /** Tag of the value, which says how it was encoded. */
  readonly tag: number
  /** Which relative distinguished name it belongs to, counted from 0; most have one attribute. */
  readonly rdn: number
}

export interface Name {
  readonly der: Uint8Array
  /** In the order of the encoding, most general first by custom. */
  readonly attributes: readonly NameAttribute[]
}

/** The Name without attributes; a certificate that has it as subject needs a critical subjectAltName. */
export const emptyName: Uint8Array = derSequence()

/**
 * A Name of a common name, below an organization if there is one, both as UTF8String (RFC 5280 §4.1.2.4).
 *
 * @param commonName 1 to 64 characters (ub-common-name)
 * @param organization 1 to 64 characters (ub-organization-name)
 */
export function buildName(commonName: string, organization?: string): Uint8Array {
  const common = derSet(derSequence(derOid(oids.commonName), derUtf8String(commonName)))
  if (organization === undefined) return derSequence(common)
  return derSequence(derSet(derSequence(derOid(oids.organizationName), derUtf8String(organization))), common)
}

/** An attribute as it is written. */
export interface NewNameAttribute {
  /** Dotted. */
  readonly oid: string
  readonly value: string
  /** How its value is encoded: what RFC 5280 appendix A.1 wants for its type. */
  readonly form: 'utf8' | 'printable' | 'ia5'
}

/** A Name of attributes in this order, each in an RDN of its own; none make {@link emptyName}. */
export function encodeName(attributes: readonly NewNameAttribute[]): Uint8Array {
  return derSequence(
    ...attributes.map(({ oid, value, form }) => derSet(derSequence(derOid(oid), encodeString(value, form)))),
  )
}

function encodeString(value: string, form: NewNameAttribute['form']): Uint8Array {
  if (form === 'utf8') return derUtf8String(value)
  return derElement(form === 'printable' ? tags.printableString : tags.ia5String, Buffer.from(value, 'latin1'))
}

/** Reads a Name element. @throws DerError */
export function readName(element: DerElement, what: string): Name {
  if (element.tag !== tags.sequence) throw new DerError(`${what} is not a SEQUENCE`)
  const attributes: NameAttribute[] = []
  const rdns = new DerReader(element.content)
  for (let rdn = 0; !rdns.atEnd; rdn += 1) {
    const members = rdns.enter(tags.set, `a part of ${what}`)
    if (members.atEnd) throw new DerError(`a part of ${what} is empty`)
    while (!members.atEnd) {
      const pair = members.enter(tags.sequence, `an attribute of ${what}`)
      const oid = oidText(pair.take(tags.oid, `the type of an attribute of ${what}`))
      const value = pair.next(`the value of an attribute of ${what}`)
      pair.assertEnd(`an attribute of ${what}`)
      attributes.push({ oid, value: stringText(value), tag: value.tag, rdn })
    }
  }
  return { der: element.bytes, attributes }
}

/** True when two encodings of a name are the same bytes: how issuer and subject must match in certificates we make. */
export function isSameName(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

/**
 * A name for people, in the form and order of RFC 4514 (most specific first), such as `CN=pump-1,O=Plant`. Control
 * characters and those that reorder text are escaped: the text can go into a log line or a terminal.
 */
export function nameText(name: Name): string {
  const parts: string[] = []
  for (const [index, attribute] of name.attributes.entries()) {
    const text = `${shortNames.get(attribute.oid) ?? attribute.oid}=${escapedValue(attribute.value)}`
    const joins = index > 0 && name.attributes[index - 1]?.rdn === attribute.rdn
    if (joins) parts[0] = `${parts[0]}+${text}`
    else parts.unshift(text)
  }
  return parts.join(',')
}

/** The text of a directory string, a string in IA5 or NumericString; `#` and hexadecimal of the element otherwise. */
export function stringText(element: DerElement): string {
  const bytes = Buffer.from(element.content.buffer, element.content.byteOffset, element.content.byteLength)
  switch (element.tag) {
    case tags.utf8String:
      return utf8Text(bytes)
    case tags.printableString:
    case tags.ia5String:
    case tags.numericString:
      if (bytes.some((octet) => octet >= 0x80)) throw new DerError('a string of ASCII has other characters in it')
      return bytes.toString('latin1')
    case tags.teletexString:
      return bytes.toString('latin1')
    case tags.bmpString:
      if (bytes.length % 2 !== 0) throw new DerError('a BMPString has an odd length')
      return Buffer.from(bytes).swap16().toString('utf16le')
    default:
      return `#${Buffer.from(element.bytes).toString('hex')}`
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new DerError('a UTF8String is not UTF-8')
  }
}

const shortNames: ReadonlyMap<string, string> = new Map([
  [oids.commonName, 'CN'],
  [oids.serialNumberAttribute, 'serialNumber'],
  [oids.countryName, 'C'],
  [oids.localityName, 'L'],
  [oids.stateOrProvinceName, 'ST'],
  [oids.organizationName, 'O'],
  [oids.organizationalUnitName, 'OU'],
  [oids.domainComponent, 'DC'],
  [oids.userId, 'UID'],
  [oids.emailAddress, 'emailAddress'],
])

function escapedValue(value: string): string {
  return value
    .replace(/[\\",+<>;=]|^[ #]| $/g, '\\$&')
    .replace(unprintable, (c) =>
      [...Buffer.from(c, 'utf8')].map((octet) => `\\${octet.toString(16).padStart(2, '0')}`).join(''),
    )
}

/** Control characters, line separators, and characters that reorder or hide the text around them. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
