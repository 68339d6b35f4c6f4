import { emptyName, isSameName, nameText } from '../../x509/name.ts'
import type { LintRule } from '../lint-rule.ts'

export const issuerName: LintRule = {
  name: 'issuer-name',
  clause: 'RFC 5280 §4.1.2.4, §4.1.2.6',
  reason: 'paths are found by name: issuer and subject of the issuer are the same bytes',
  faultOf({ certificate, issuer }) {
    if (isSameName(certificate.issuer.der, emptyName)) return 'names no issuer'
    if (isSameName(certificate.issuer.der, issuer.subject.der)) return null
    return `names ${nameText(certificate.issuer)} as its issuer, which is ${nameText(issuer.subject)}`
  },
}
