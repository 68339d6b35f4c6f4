import type { LintRule } from '../lint-rule.ts'

export const certificateVersion: LintRule = {
  name: 'certificate-version',
  clause: 'RFC 5280 §4.1.2.1, §4.1.2.8',
  reason: 'extensions need version 3, and unique identifiers must not be made any more',
  faultOf({ certificate: { version }, layout }) {
    if (version !== 3) return `is of version ${version}`
    return layout.hasUniqueIds ? 'has a unique identifier' : null
  },
}
