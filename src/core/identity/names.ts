/**
 * The names under which others look for an identity: DNS names, IP addresses, mailboxes. Each is read in one place into the
 * one spelling that is compared and certified, so that what was allowed and what stands in a certificate are the same text.
 */
import { HubError, quote } from '../errors.ts'
import { limits } from '../limits.ts'
import { addressOctets, addressText } from '../x509/extensions.ts'
import type { IdentityNames } from './identity.ts'

/**
 * A DNS name as a server is called by: labels of letters, digits and hyphens (RFC 1123 §2.1), at most 253 characters, in
 * lower case. A wildcard is none, nor is an IPv4 address in any of its spellings.
 *
 * @throws HubError `name-invalid`
 */
export function parseDnsName(value: string): string {
  const name = value.toLowerCase()
  const fault = dnsNameFault(name)
  if (fault === null) return name
  throw new HubError('name-invalid', `${quote(value)} is not a DNS name: ${fault}`)
}

/** True for a DNS name in lower case. */
export function isDnsName(value: string): boolean {
  return dnsNameFault(value) === null
}

function dnsNameFault(name: string): string | null {
  if (name === '') return 'it is empty'
  if (name.includes('*')) return 'wildcards are not issued'
  if (name.length > 253) return 'it is longer than 253 characters'
  const labels = name.split('.')
  const odd = labels.find((label) => !/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label))
  if (odd !== undefined) return `the label ${quote(odd)} is not made of letters, digits and inner hyphens`
  const long = labels.find((label) => label.length > 63)
  if (long !== undefined) return `the label ${quote(long)} is longer than 63 characters`
  // As the URL standard has it: what ends in a number is read as an IPv4 address by somebody.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) return 'it ends in a number, so it is read as an address'
  return null
}

/**
 * The address of one host, in its usual spelling. IPv4 behind an IPv6 prefix is refused: it would be a second spelling.
 *
 * @throws HubError `name-invalid`
 */
export function parseIpAddress(value: string): string {
  const octets = octetsOf(value)
  const fault = octets === null ? 'it has another form' : addressFault(octets)
  const text = octets === null ? null : addressText(octets)
  if (fault === null && text !== null) return text
  throw new HubError('name-invalid', `${quote(value)} is not the address of a host: ${fault}`)
}

/** The octets of an address, or null where it is none. */
export function octetsOf(value: string): Uint8Array | null {
  // Leading zeros are octal to some readers.
  if (!value.includes(':') && /(?:^|\.)0[0-9]/.test(value)) return null
  try {
    return addressOctets(value)
  } catch (error) {
    if (error instanceof HubError) return null
    throw error
  }
}

function addressFault(octets: Uint8Array): string | null {
  if (octets.every((octet) => octet === 0)) return 'it means any host'
  if (octets.length === 4) return (octets[0] ?? 0) >= 224 ? 'it is not for one host' : null
  if (octets[0] === 0xff) return 'it is not for one host'
  const isMapped = octets.subarray(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff
  return isMapped ? 'it is IPv4 in the clothes of IPv6; give the IPv4 address' : null
}

/**
 * The address of a mailbox in ASCII (RFC 5280 §4.2.1.6): a dot-atom, `@`, a DNS name. Quoted and international local parts
 * are refused. The part before `@` keeps its case, since it has one (RFC 5321 §2.4).
 *
 * @throws HubError `name-invalid`
 */
export function parseEmail(value: string): string {
  const at = value.indexOf('@')
  const [local, domain] = [value.slice(0, at), value.slice(at + 1).toLowerCase()]
  const fault =
    at === -1
      ? 'there is no @ in it'
      : local.length > 64 || value.length > 254
        ? 'it is too long'
        : !/^[A-Za-z0-9_-]+(?:[.+][A-Za-z0-9_-]+)*$/.test(local)
          ? `${quote(local)} is not made of letters, digits, "_", "-" and inner "." and "+"`
          : dnsNameFault(domain)
  if (fault === null) return `${local}@${domain}`
  throw new HubError('name-invalid', `${quote(value)} is not an e-mail address: ${fault}`)
}

/**
 * The names of an identity in their usual spelling, each once, in the order given.
 *
 * @throws HubError `name-invalid`, also for too many of one kind
 */
export function parseIdentityNames(names: Partial<IdentityNames>): IdentityNames {
  return {
    dnsNames: parseAll(names.dnsNames, parseDnsName),
    ipAddresses: parseAll(names.ipAddresses, parseIpAddress),
    emails: parseAll(names.emails, parseEmail),
  }
}

function parseAll(values: readonly string[] = [], parse: (value: string) => string): readonly string[] {
  const parsed = [...new Set(values.map(parse))]
  if (parsed.length <= limits.identityNamesMax) return parsed
  throw new HubError('name-invalid', `${parsed.length} names of one kind are more than ${limits.identityNamesMax}`)
}
