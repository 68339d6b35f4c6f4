import { nameText } from '../../x509/name.ts'
import { oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

export const subjectNamesIdentity: LintRule = {
  name: 'subject-names-identity',
  clause: 'RFC 5280 §4.1.2.6',
  reason: 'brokers take who is connected from the common name: it is the id of the identity, and never somebody else',
  faultOf({ certificate: { subject }, plan: { profile, identity } }) {
    const common = subject.attributes.find(({ oid }) => oid === oids.commonName)?.value
    if (!profile.mayConnect || identity === null) return null
    return common === identity.id ? null : `has the subject ${nameText(subject)} and is for ${identity.id}`
  },
}
