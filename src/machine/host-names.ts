/** The names and addresses under which this machine can be reached. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { HubError, quote } from '../core/errors.ts'
import { addressOctets, addressText } from '../core/x509/extensions.ts'
import type { ServerNames } from '../hub/server-certificate.ts'

/** More addresses than this are left out of the server certificate, which must stay small for microcontrollers. */
const addressesMax = 16

/**
 * The name to use when the operator gave none: this machine's name where it resolves to an address of this machine, else
 * `localhost`.
 */
export async function defaultPublicName(): Promise<string> {
  const name = hostname().toLowerCase()
  if (!isDnsName(name)) return 'localhost'
  try {
    const found = await lookup(name, { all: true })
    const own = new Set(ownAddresses())
    return found.some(({ address }) => own.has(address) || address.startsWith('127.')) ? name : 'localhost'
  } catch {
    return 'localhost'
  }
}

/**
 * A public name as the operator gave it: a DNS name in lower case or an IP address.
 *
 * @throws HubError `config-invalid`
 */
export function parsePublicName(value: string): string {
  const name = value.trim().toLowerCase()
  if (isIP(name) !== 0 || isDnsName(name)) return name
  throw new HubError('config-invalid', `${quote(value)} is not a public name`, {
    hint: 'give a DNS name or an IP address without port, as in --public-name hub.plant.example',
  })
}

/**
 * What the server certificate should say: the public name, this machine's names and its addresses.
 *
 * @param formerNames earlier public names, which devices enrolled then still use
 */
export function serverNames(publicName: string, formerNames: readonly string[]): ServerNames {
  const dnsNames = new Set<string>()
  const ipAddresses = new Set<string>()
  for (const name of [publicName, ...formerNames]) {
    if (isIP(name) === 0) dnsNames.add(name)
    else ipAddresses.add(name)
  }
  dnsNames.add('localhost')
  const own = hostname().toLowerCase()
  if (isDnsName(own)) dnsNames.add(own)
  for (const address of ['127.0.0.1', '::1', ...ownAddresses()]) ipAddresses.add(address)
  // In the form in which certificates give them back, so that one spelling is compared with itself.
  const canonical = [...ipAddresses].map((address) => addressText(addressOctets(address)) ?? address)
  return { dnsNames: [...dnsNames], ipAddresses: [...new Set(canonical)].slice(0, addressesMax) }
}

/** Addresses of the interfaces, without link-local ones, which mean nothing without a zone. */
function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !address.startsWith('fe80:') && !address.includes('%'))
    .sort()
}

function isDnsName(value: string): boolean {
  return (
    value.length <= 253 &&
    /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/.test(value)
  )
}
