import { isSameName, nameText } from '../../x509/name.ts'
import type { LintRule } from '../lint-rule.ts'

export const subjectAsOrdered: LintRule = {
  name: 'subject-as-ordered',
  clause: 'RFC 5280 §4.1.2.6',
  reason: 'profile and registry decide who it is for, byte for byte; a certificate request has no say in it',
  faultOf({ certificate: { subject }, plan }) {
    if (plan.subject === null || isSameName(subject.der, plan.subject)) return null
    return `has the subject ${nameText(subject)}, which was not ordered`
  },
}
