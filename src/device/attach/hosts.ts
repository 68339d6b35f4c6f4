/** The hosts to which a device shows its certificate, as an operator names them. */
import { isIP } from 'node:net'
import { HubError, quote } from '../../core/errors.ts'
import { deviceLimits } from '../limits.ts'

/** One host, or all names with one label more than `name` where `isWildcard`. */
export interface NamedHost {
  /** In the form of {@link canonicalHost}. */
  readonly name: string
  readonly isWildcard: boolean
  /** Null for every port. */
  readonly port: number | null
}

/**
 * Reads a list such as `hub.plant.example, *.azure-devices.net:8883 [fd00::1]`, separated by commas or spaces.
 *
 * @throws HubError `attachment-misconfigured`
 */
export function parseHosts(text: string): readonly NamedHost[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  if (words.length === 0) throw refusal(text, 'names no host')
  if (words.length > deviceLimits.attachHostsMax) {
    throw refusal(text, `names ${words.length} hosts, more than ${deviceLimits.attachHostsMax}`)
  }
  return words.map(parseHost)
}

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const namePattern = new RegExp(`^${label}(?:\\.${label})*$`)

function parseHost(word: string): NamedHost {
  const match = /^(\*\.)?(\[[^\]]*\]|[^:[\]]*|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(?::([0-9]{1,5}))?$/.exec(
    word,
  )
  const name = canonicalHost(match?.[2] ?? '')
  const isWildcard = match?.[1] !== undefined
  const port = match?.[3] === undefined ? null : Number(match[3])
  if (match === null || (port !== null && (port < 1 || port > 65_535))) throw refusal(word, 'is no host')
  const isAddress = isIP(name) !== 0
  if (!isAddress && (name.length > 253 || !namePattern.test(name))) throw refusal(word, 'is no host')
  // A wildcard of a whole top-level domain would be the world.
  if (isWildcard && (isAddress || !name.includes('.'))) throw refusal(word, 'is too wide')
  return { name, isWildcard, port }
}

/** True when a connection to this host and port is among those named. @param port null where it is not known */
export function isNamed(hosts: readonly NamedHost[], host: string, port: number | null): boolean {
  const name = canonicalHost(host)
  const parent = name.slice(name.indexOf('.') + 1)
  return hosts.some(
    (each) =>
      (each.port === null || each.port === port) &&
      (each.isWildcard ? isIP(name) === 0 && name !== parent && parent === each.name : name === each.name),
  )
}

/** Lower case, without brackets and the dot of the root; an IPv6 address in its one shortest form. */
export function canonicalHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (isIP(bare) === 6) return new URL(`http://[${bare.split('%')[0]}]`).hostname.slice(1, -1)
  return bare.replace(/\.$/, '')
}

function refusal(text: string, fault: string): HubError {
  return new HubError('attachment-misconfigured', `HANDFAST_ATTACH_HOSTS: ${quote(text)} ${fault}`, {
    hint: 'give names or addresses, each with :port or without, as in "hub.plant.example *.azure-devices.net:8883"',
  })
}
