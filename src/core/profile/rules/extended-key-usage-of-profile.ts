import { oidName } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

export const extendedKeyUsageOfProfile: LintRule = {
  name: 'extended-key-usage-of-profile',
  clause: 'RFC 5280 §4.2.1.12',
  reason: 'the certificate of a device that also passes for a server lets it stand in for the broker',
  faultOf({ certificate: { extendedKeyUsage }, plan: { profile } }) {
    const found = extendedKeyUsage ?? []
    const planned = profile.extendedKeyUsage
    const isSame = found.length === planned.length && planned.every((purpose) => found.includes(purpose))
    return isSame ? null : `is for ${list(found)}; its profile says ${list(planned)}`
  },
}

function list(purposes: readonly string[]): string {
  return purposes.length === 0 ? 'any purpose' : purposes.map(oidName).join(', ')
}
