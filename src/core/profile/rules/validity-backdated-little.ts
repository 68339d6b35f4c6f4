import type { LintRule } from '../lint-rule.ts'
import { dateText } from '../validity.ts'

const daySec = 86_400

export const validityBackdatedLittle: LintRule = {
  name: 'validity-backdated-little',
  clause: 'RFC 5280 §4.1.2.5; CA/Browser Forum BR 7.1.2',
  reason:
    'clocks of devices run behind by minutes, so less than a day is enough; one that begins later helps nobody now',
  faultOf({ certificate: { notBeforeSec }, plan: { profile, madeAtSec } }) {
    if (notBeforeSec > madeAtSec) return `begins at ${dateText(notBeforeSec)}, after it was made`
    const backdatedSec = madeAtSec - notBeforeSec
    if (backdatedSec >= daySec) return `begins ${backdatedSec} s before it was made, a day or more`
    return backdatedSec <= profile.backdateSec
      ? null
      : `begins ${backdatedSec} s before it was made; its profile allows ${profile.backdateSec} s`
  },
}
