import type { LintRule } from '../lint-rule.ts'

const octetsMax = 20

export const serialNumberPositive: LintRule = {
  name: 'serial-number-positive',
  clause: 'RFC 5280 §4.1.2.2',
  reason:
    'zero and negative numbers are refused or misread by verifiers, and none of them need read more than 20 octets',
  faultOf({ layout: { serialNumber } }) {
    if (serialNumber.every((octet) => octet === 0)) return 'has the serial number zero'
    if ((serialNumber[0] ?? 0) >= 0x80) return 'has a negative serial number'
    return serialNumber.length <= octetsMax ? null : `has a serial number of ${serialNumber.length} octets`
  },
}
