import { oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

export const noRevocationAvailableAlone: LintRule = {
  name: 'no-revocation-available-alone',
  clause: 'RFC 9608 §2',
  reason: 'who says that no revocation is published must name no place where it is, and an authority never says so',
  faultOf({ certificate: { extensions, basicConstraints }, authorityInformation }) {
    if (!extensions.has(oids.noRevAvail)) return null
    if (basicConstraints?.ca === true) return 'is an authority and says that no revocation is published'
    const isPublished =
      extensions.has(oids.crlDistributionPoints) ||
      authorityInformation.some(({ method }) => method === oids.ocspAccess)
    return isPublished ? 'says that no revocation is published, and where it is' : null
  },
}
