import { oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

export const alternativeNamesPresent: LintRule = {
  name: 'alternative-names-present',
  clause: 'RFC 5280 §4.2.1.6',
  reason: 'the extension holds at least one name, of kinds that this hub gives',
  faultOf({ certificate: { extensions }, names }) {
    if (!extensions.has(oids.subjectAltName)) return null
    const { uris, dnsNames, ipAddresses, emails, others } = names
    if (others > 0) return `has ${others} alternative names of other kinds`
    return uris.length + dnsNames.length + ipAddresses.length + emails.length > 0 ? null : 'has no alternative name'
  },
}
