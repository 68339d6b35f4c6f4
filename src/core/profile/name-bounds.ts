/** Which names an order may ask for: domains and networks that they must lie in. */
import { HubError, quote } from '../errors.ts'
import { isDnsName, parseDnsName } from '../identity/names.ts'
import { isInNetwork, parseNetwork } from '../identity/network.ts'

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
      return bounds.some((text) => {
        const network = parseNetwork(text)
        return network !== null && isInNetwork(name, network)
      })
  }
}

function isOfDomain(name: string, domain: string): boolean {
  return isDnsName(name) && (name === domain || name.endsWith(`.${domain}`))
}
