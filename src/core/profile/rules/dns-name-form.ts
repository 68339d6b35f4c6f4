import { quote } from '../../errors.ts'
import type { LintRule } from '../lint-rule.ts'

export const dnsNameForm: LintRule = {
  name: 'dns-name-form',
  clause: 'RFC 5280 §4.2.1.6; RFC 1034 §3.5; RFC 6125 §7.2',
  reason:
    'a "*" that came in through a pattern speaks for every host beside it; other malformed names match who knows what',
  faultOf({ names: { dnsNames, ipAddresses }, plan: { profile } }) {
    for (const name of dnsNames) {
      if (isDnsName(name)) continue
      // mbedTLS 2 compares addresses with nothing else, so the same one may stand there as a name too.
      if (profile.names.addressesAsDns && isIpv4(name) && ipAddresses.includes(name)) continue
      return `has the DNS name ${quote(name)}`
    }
    return null
  },
}

function isDnsName(name: string): boolean {
  const labels = name.split('.')
  return (
    name.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)) &&
    // A last label of digits alone makes an address of it.
    !/^\d+$/.test(labels.at(-1) ?? '')
  )
}

function isIpv4(text: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)
}
