/** Which names an order may ask for: domains and networks that they must lie in. */
import { HubError, quote } from '../errors.ts'
import { isDnsName, octetsOf, parseDnsName } from '../identity/names.ts'

/** Kinds of names that an order can give. */
export type OrderedNameKind = 'dns' | 'ip' | 'email'

/**
 * A bound in its usual spelling: a domain for DNS names and mailboxes, a network in CIDR form for addresses.
 *
 * @throws HubError `profile-invalid`
 */
export function parseBound(value: string, kind: OrderedNameKind): string {
  if (kind === 'ip') {
    if (parseNetwork(value) !== null) return value.toLowerCase()
    throw new HubError('profile-invalid', `${quote(value)} is not a network`, {
      hint: 'give its first address and the bits that it fixes, as in 10.3.0.0/16; no bit behind them is set',
    })
  }
  try {
    return parseDnsName(value)
  } catch (cause) {
    throw new HubError('profile-invalid', `${quote(value)} is not a domain that names can lie in`, {
      hint: 'give it without dot or wildcard before it, as in plant.example',
      cause,
    })
  }
}

/** Whether a name in its usual spelling lies in one of the bounds: a domain itself and what is below it. */
export function liesWithin(name: string, bounds: 'any' | readonly string[], kind: OrderedNameKind): boolean {
  if (bounds === 'any') return true
  switch (kind) {
    case 'dns':
      return bounds.some((domain) => isOfDomain(name, domain))
    case 'email':
      // A mailbox below a domain belongs to somebody else than one in it.
      return bounds.some((domain) => name.slice(name.indexOf('@') + 1) === domain)
    case 'ip':
      return bounds.some((network) => isOfNetwork(name, network))
  }
}

function isOfDomain(name: string, domain: string): boolean {
  return isDnsName(name) && (name === domain || name.endsWith(`.${domain}`))
}

interface Network {
  readonly octets: Uint8Array
  readonly bits: number
}

function isOfNetwork(address: string, text: string): boolean {
  const octets = octetsOf(address)
  const network = parseNetwork(text)
  if (octets === null || network === null || octets.length !== network.octets.length) return false
  return network.octets.every((octet, index) => octet === ((octets[index] ?? 0) & maskAt(network.bits, index)))
}

function parseNetwork(text: string): Network | null {
  const [, address = '', bitsText = ''] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? []
  const octets = octetsOf(address)
  const bits = Number(bitsText)
  if (octets === null || bitsText === '' || bits > octets.length * 8) return null
  return octets.every((octet, index) => (octet & maskAt(bits, index)) === octet) ? { octets, bits } : null
}

/** The bits of one octet that a network fixes. */
function maskAt(bits: number, index: number): number {
  const fixed = Math.min(8, Math.max(0, bits - index * 8))
  return (0xff << (8 - fixed)) & 0xff
}
