import type { LintRule } from '../lint-rule.ts'

export const validityOfProfile: LintRule = {
  name: 'validity-of-profile',
  clause: 'RFC 5280 §4.1.2.5',
  reason: 'both ends are inclusive, so the last good second is one before the lifetime is over; a profile bounds that',
  faultOf({ certificate: { notBeforeSec, notAfterSec }, plan: { profile, madeAtSec } }) {
    if (notAfterSec < notBeforeSec) return 'ends before it begins'
    const lifetimeSec = notAfterSec - madeAtSec + 1
    if (lifetimeSec > profile.lifetimeSec)
      return `lives for ${lifetimeSec} s; its profile allows ${profile.lifetimeSec} s`
    return lifetimeSec > 0 ? null : 'had ended before it was made'
  },
}
