import type { LintRule } from '../lint-rule.ts'
import { dateText } from '../validity.ts'

export const validityWithinIssuer: LintRule = {
  name: 'validity-within-issuer',
  clause: 'RFC 5280 §6.1.3',
  reason:
    'a certificate that is good longer than its issuer stops being accepted before it ends, and nobody expects it',
  faultOf({ certificate: { notBeforeSec, notAfterSec }, issuer }) {
    if (notBeforeSec < issuer.notBeforeSec) {
      return `begins at ${dateText(notBeforeSec)}, before its issuer, at ${dateText(issuer.notBeforeSec)}`
    }
    return notAfterSec <= issuer.notAfterSec
      ? null
      : `ends at ${dateText(notAfterSec)}, after its issuer, at ${dateText(issuer.notAfterSec)}`
  },
}
