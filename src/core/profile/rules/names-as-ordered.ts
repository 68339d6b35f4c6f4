import { quote } from '../../errors.ts'
import { addressOctets, addressText } from '../../x509/extensions.ts'
import type { LintRule } from '../lint-rule.ts'

export const namesAsOrdered: LintRule = {
  name: 'names-as-ordered',
  clause: 'RFC 5280 §4.2.1.6',
  reason:
    'every name must have been verified by the authority: none that was not ordered, and none that was is missing',
  faultOf({ names: { dnsNames, ipAddresses, emails }, plan: { names: ordered } }) {
    if (ordered === null) return null
    const addresses = ordered.ipAddresses.map((address) => addressText(addressOctets(address)) ?? address)
    return (
      differenceOf(dnsNames.map(lowerCase), ordered.dnsNames.map(lowerCase)) ??
      differenceOf(ipAddresses, addresses) ??
      differenceOf(emails, ordered.emails)
    )
  },
}

function differenceOf(found: readonly string[], ordered: readonly string[]): string | null {
  const extra = found.find((name) => !ordered.includes(name))
  if (extra !== undefined) return `has the name ${quote(extra)}, which was not ordered`
  const missing = ordered.find((name) => !found.includes(name))
  if (missing !== undefined) return `lacks the name ${quote(missing)}, which was ordered`
  return new Set(found).size === found.length ? null : 'has a name twice'
}

function lowerCase(name: string): string {
  return name.toLowerCase()
}
