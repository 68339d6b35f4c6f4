import type { LintRule } from '../lint-rule.ts'

export const ipAddressForm: LintRule = {
  name: 'ip-address-form',
  clause: 'RFC 5280 §4.2.1.6',
  reason: 'an address that no single host can have names nobody, or everybody',
  faultOf({ names: { ipAddresses } }) {
    const fault = ipAddresses.find(isNobody)
    return fault === undefined ? null : `has the address ${fault}`
  },
}

/** Unspecified, multicast and broadcast addresses. */
function isNobody(address: string): boolean {
  if (address.includes(':')) return address === '::' || address.startsWith('ff')
  const first = Number(address.split('.')[0])
  return first === 0 || first >= 224
}
