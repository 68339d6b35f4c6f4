import { quote } from '../../errors.ts'
import { oids } from '../../x509/oids.ts'
import { httpUrlFault } from '../http-url.ts'
import type { LintRule } from '../lint-rule.ts'

export const crlDistributionPointForm: LintRule = {
  name: 'crl-distribution-point-form',
  clause: 'RFC 5280 §4.2.1.13, §8',
  reason: 'one plain HTTP URL: over HTTPS, whoever fetches the CRL would need a CRL to verify its server',
  faultOf({ certificate: { extensions, crlDistributionPoints }, plan }) {
    if (!extensions.has(oids.crlDistributionPoints)) return null
    const [url, ...more] = crlDistributionPoints
    if (url === undefined) return 'has a CRL distribution point without a URL'
    if (more.length > 0) return `has ${crlDistributionPoints.length} CRL distribution points`
    if (plan.status !== null && url !== plan.status.crlUrl)
      return `has the CRL distribution point ${quote(url)}, not its own`
    const fault = httpUrlFault(url)
    return fault === null ? null : `has the CRL distribution point ${quote(url)}, which ${fault}`
  },
}
