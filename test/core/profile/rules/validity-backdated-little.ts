import { derTime } from '../../../../src/core/x509/der-writer.ts'
import { nowSec, type RuleCases, soundDevice } from '../draft.ts'

const backdateOf = (backdateSec: number) => (plan: { readonly profile: object }) => ({
  profile: { ...plan.profile, backdateSec } as never,
})

export const cases: RuleCases = {
  good: [
    soundDevice,
    { what: 'one that begins at once', draft: () => ({ notBefore: derTime(nowSec) }) },
    {
      what: 'one that a profile lets begin almost a day before',
      draft: () => ({ notBefore: derTime(nowSec - 86_399) }),
      plan: backdateOf(86_399),
    },
  ],
  bad: [
    { what: 'one that begins in a second', draft: () => ({ notBefore: derTime(nowSec + 1) }) },
    { what: 'one that begins earlier than its profile says', draft: () => ({ notBefore: derTime(nowSec - 301) }) },
    {
      what: 'one that begins a day before, whatever its profile says',
      draft: () => ({ notBefore: derTime(nowSec - 86_400) }),
      plan: backdateOf(200_000),
    },
  ],
}
