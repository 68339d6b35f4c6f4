import { oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

export const basicConstraintsOfProfile: LintRule = {
  name: 'basic-constraints-of-profile',
  clause: 'RFC 5280 §4.2.1.9',
  reason: 'a device that is an authority by mistake could make other devices; an authority says so, critically',
  faultOf({ certificate: { basicConstraints, extensions }, plan: { profile } }) {
    if (profile.pathLength === null) return basicConstraints?.ca === true ? 'is an authority' : null
    if (basicConstraints?.ca !== true) return 'is no authority'
    if (extensions.get(oids.basicConstraints)?.critical !== true)
      return 'is an authority and does not say so critically'
    return basicConstraints.pathLength === profile.pathLength
      ? null
      : `allows ${basicConstraints.pathLength ?? 'any number of'} authorities below it, its profile ${profile.pathLength}`
  },
}
