import { oidName, oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

/** What mbedTLS 2.28 and 3.x understand; a critical extension beside these ends its reading. */
const understood: ReadonlySet<string> = new Set([
  oids.basicConstraints,
  oids.keyUsage,
  oids.extendedKeyUsage,
  oids.subjectAltName,
])

export const criticalExtensionsCompatible: LintRule = {
  name: 'critical-extensions-compatible',
  clause: 'RFC 5280 §4.2',
  reason: 'devices with mbedTLS refuse a whole chain for a critical extension that they do not know',
  faultOf({ certificate, plan: { profile } }) {
    if (profile.compatibility !== 'mbedtls') return null
    const fault = [...certificate.extensions.values()].find(({ oid, critical }) => critical && !understood.has(oid))
    return fault === undefined ? null : `has the critical extension ${oidName(fault.oid)}`
  },
}
