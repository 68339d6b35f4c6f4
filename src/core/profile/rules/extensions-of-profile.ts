import { oidName } from '../../x509/oids.ts'
import { expectedExtensions } from '../expected-extensions.ts'
import type { LintRule } from '../lint-rule.ts'

export const extensionsOfProfile: LintRule = {
  name: 'extensions-of-profile',
  clause: 'RFC 5280 §4.2',
  reason: 'every extension is one that its profile gives, with the criticality of the standard, and none is left out',
  faultOf({ certificate, plan }) {
    const expected = expectedExtensions(plan, certificate)
    for (const { oid, critical } of certificate.extensions.values()) {
      const planned = expected.get(oid)
      if (planned === undefined) return `has the extension ${oidName(oid)}, which its profile does not give`
      if (planned.critical !== critical) {
        return `has the extension ${oidName(oid)} ${critical ? 'critical' : 'not critical'}`
      }
    }
    for (const [oid, { isRequired }] of expected) {
      if (isRequired && !certificate.extensions.has(oid)) return `lacks the extension ${oidName(oid)}`
    }
    return null
  },
}
