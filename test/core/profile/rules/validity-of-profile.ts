import { deviceProfile } from '../../../../src/core/profile/built-in.ts'
import { derTime } from '../../../../src/core/x509/der-writer.ts'
import { nowSec, type RuleCases, soundDevice } from '../draft.ts'

const lastSec = nowSec + deviceProfile.lifetimeSec - 1

export const cases: RuleCases = {
  good: [
    soundDevice,
    { what: 'a shorter life', draft: () => ({ notAfter: derTime(nowSec + 60) }) },
    {
      what: 'a longer life that was ordered',
      draft: () => ({ notAfter: derTime(lastSec + 500) }),
      plan: ({ profile }) => ({ profile: { ...profile, lifetimeSec: profile.lifetimeSec + 500 } }),
    },
  ],
  bad: [
    { what: 'one second more, since both ends are inclusive', draft: () => ({ notAfter: derTime(lastSec + 1) }) },
    { what: 'an end before the beginning', draft: () => ({ notAfter: derTime(nowSec - 301) }) },
    { what: 'an end before it was made', draft: () => ({ notAfter: derTime(nowSec - 1) }) },
  ],
}
