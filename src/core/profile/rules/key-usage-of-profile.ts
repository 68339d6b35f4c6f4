import type { LintRule } from '../lint-rule.ts'

export const keyUsageOfProfile: LintRule = {
  name: 'key-usage-of-profile',
  clause: 'RFC 5280 §4.2.1.3',
  reason: 'a key may do what its profile says and nothing more',
  faultOf({ certificate: { keyUsage }, plan: { profile } }) {
    if (keyUsage === null) return 'has no key usage'
    const isSame =
      keyUsage.length === profile.keyUsage.length && profile.keyUsage.every((use) => keyUsage.includes(use))
    return isSame ? null : `may be used for ${list(keyUsage)}; its profile says ${list(profile.keyUsage)}`
  },
}

function list(usages: readonly string[]): string {
  return usages.length === 0 ? 'nothing' : usages.join(', ')
}
