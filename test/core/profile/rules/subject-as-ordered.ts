import { buildName, emptyName } from '../../../../src/core/x509/name.ts'
import { type RuleCases, soundDevice, soundIssuing } from '../draft.ts'

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundIssuing,
    {
      what: 'one of which nobody knows any more what was ordered',
      draft: () => ({ subject: buildName('x') }),
      plan: () => ({ subject: null }),
    },
  ],
  bad: [
    { what: 'an organization that was not ordered', draft: () => ({ subject: buildName('device-1', 'Plant') }) },
    { what: 'none', draft: () => ({ subject: emptyName }) },
  ],
}
