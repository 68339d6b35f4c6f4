/** One spelling for the address of a peer, in attempts and in limits. */

/**
 * @param address as a socket tells it; undefined once the connection is gone
 * @returns IPv4 without the prefix of a dual-stack socket, "unknown" when there is none to tell
 */
export function peerAddress(address: string | undefined): string {
  if (address === undefined || address === '') return 'unknown'
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
}

/**
 * What an address counts as in limits: an IPv6 address by its first 64 bits, which one site holds whole.
 *
 * @param address as {@link peerAddress} gives it
 */
export function limitedAddress(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const whole = address.includes('::') ? [...groups, ...Array<string>(missing).fill('0'), ...tail.split(':')] : groups
  return `${whole.slice(0, 4).join(':')}::/64`
}
