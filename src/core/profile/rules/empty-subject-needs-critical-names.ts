import { emptyName, isSameName } from '../../x509/name.ts'
import { oids } from '../../x509/oids.ts'
import type { LintRule } from '../lint-rule.ts'

export const emptySubjectNeedsCriticalNames: LintRule = {
  name: 'empty-subject-needs-critical-names',
  clause: 'RFC 5280 §4.1.2.6, §4.2.1.6',
  reason: 'somebody must be named: without a subject by critical alternative names, and an authority by its subject',
  faultOf({ certificate: { subject, extensions, basicConstraints } }) {
    const names = extensions.get(oids.subjectAltName)
    if (!isSameName(subject.der, emptyName)) {
      return names?.critical === true ? 'has a subject and critical alternative names' : null
    }
    if (basicConstraints?.ca === true) return 'is an authority without a subject'
    if (names === undefined) return 'names nobody'
    return names.critical ? null : 'has no subject, and alternative names that are not critical'
  },
}
