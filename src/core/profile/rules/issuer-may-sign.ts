import { isSameName } from '../../x509/name.ts'
import type { LintRule } from '../lint-rule.ts'

export const issuerMaySign: LintRule = {
  name: 'issuer-may-sign',
  clause: 'RFC 5280 §4.2.1.3, §4.2.1.9, §6.1.4',
  reason: 'below a certificate that is no authority, or has too short a path, nothing is accepted',
  faultOf({ certificate, issuer, plan }) {
    if (issuer.basicConstraints?.ca !== true) return 'has an issuer that is no authority'
    if (issuer.keyUsage?.includes('keyCertSign') !== true) return 'has an issuer that may not sign certificates'
    if (plan.issuer === null || certificate.basicConstraints?.ca !== true) return null
    const above = issuer.basicConstraints.pathLength
    if (above === null) return null
    if (above === 0) return 'is an authority below one that may have none below it'
    const own = certificate.basicConstraints.pathLength
    // A root and its successor have one name, so the certificate between them counts for no step (§6.1.4 l).
    const steps = isSameName(certificate.subject.der, certificate.issuer.der) ? 0 : 1
    return own !== null && own + steps <= above
      ? null
      : `allows ${own ?? 'any number of'} authorities below it, its issuer ${above}`
  },
}
