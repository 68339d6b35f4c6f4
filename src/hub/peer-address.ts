/** The address of a peer: one spelling in attempts, one unit in limits. */
import { isIP, isIPv6 } from 'node:net'

/**
 * @param address as a socket tells it; undefined once the connection is gone
 * @returns IPv4 without the prefix of a dual-stack socket, "unknown" when there is none to tell
 */
export function peerAddress(address: string | undefined): string {
  if (address === undefined || address === '') return 'unknown'
  return address.replace(/^::ffff:(?=\d+\.)/, '')
}

/** True for a name or address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/**
 * What an address counts as in limits: an IPv4 address, or the first 64 bits of an IPv6 one, since whoever has one of those
 * addresses has all of them.
 *
 * @param address as {@link peerAddress} gives it
 */
export function sourceOf(address: string): string {
  if (!isIPv6(address)) return address
  const [front = '', back] = (address.split('%')[0] ?? '').split('::')
  const head = front === '' ? [] : front.split(':')
  const tail = back === undefined || back === '' ? [] : back.split(':')
  // A dotted end stands for two groups.
  const groups = head.length + tail.length + (address.includes('.') ? 1 : 0)
  const full = back === undefined ? head : [...head, ...Array<string>(8 - groups).fill('0'), ...tail]
  return `${full.slice(0, 4).join(':')}::/64`
}
