/** Networks in CIDR form (RFC 4632, RFC 4291 §2.3). */
import { octetsOf } from './names.ts'

export interface Network {
  readonly octets: Uint8Array
  /** How many of their bits are fixed. */
  readonly bits: number
}

/** The network that a text such as `10.3.0.0/16` names; null where it is none, or sets a bit behind those that it fixes. */
export function parseNetwork(text: string): Network | null {
  const [, address = '', bitsText = ''] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? []
  const octets = octetsOf(address)
  const bits = Number(bitsText)
  if (octets === null || bitsText === '' || bits > octets.length * 8) return null
  return octets.every((octet, index) => (octet & maskAt(bits, index)) === octet) ? { octets, bits } : null
}

/** Whether an address as text lies in a network; never where it is no address, or one of the other kind. */
export function isInNetwork(address: string, network: Network): boolean {
  const octets = octetsOf(address)
  if (octets === null || octets.length !== network.octets.length) return false
  return network.octets.every((octet, index) => octet === ((octets[index] ?? 0) & maskAt(network.bits, index)))
}

/** The bits of one octet that a network fixes. */
function maskAt(bits: number, index: number): number {
  const fixed = Math.min(8, Math.max(0, bits - index * 8))
  return (0xff << (8 - fixed)) & 0xff
}
