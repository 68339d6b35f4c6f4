/** Addresses that stand on the public internet, and those that do not (RFC 6890). */
import { octetsOf } from './names.ts'
import { isInNetwork, type Network, parseNetwork } from './network.ts'

const notPublic: readonly Network[] = [
  // This host, private and shared networks, links, tests, documentation, benchmarks, multicast and what is reserved.
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
  // Of IPv6 all but global unicast; in that, what carries addresses of IPv4 inside, and documentation.
  ...['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
].map((text) => {
  const network = parseNetwork(text)
  if (network === null) throw new TypeError(`${text} is no network`)
  return network
})

/** Whether an address as text is one of the public internet; never where it is no address. */
export function isPublicAddress(address: string): boolean {
  return octetsOf(address) !== null && !notPublic.some((network) => isInNetwork(address, network))
}
