import { tags } from '../../../../src/core/x509/der-tags.ts'
import { derElement, derTime } from '../../../../src/core/x509/der-writer.ts'
import { type RuleCases, soundDevice } from '../draft.ts'

const generalized = (text: string): Uint8Array => derElement(tags.generalizedTime, Buffer.from(text))

export const cases: RuleCases = {
  good: [
    soundDevice,
    {
      what: 'the last second of 2049 as UTCTime',
      draft: () => ({ notAfter: derTime(Date.UTC(2049, 11, 31, 23, 59, 59) / 1000) }),
    },
    {
      what: 'the first second of 2050 as GeneralizedTime',
      draft: () => ({ notAfter: generalized('20500101000000Z') }),
    },
    { what: 'no good end, as IDevIDs say it', draft: () => ({ notAfter: generalized('99991231235959Z') }) },
  ],
  bad: [
    { what: 'a time before 2050 as GeneralizedTime', draft: () => ({ notAfter: generalized('20261001000000Z') }) },
    {
      what: 'a beginning before 2050 as GeneralizedTime',
      draft: () => ({ notBefore: generalized('20260901000000Z') }),
    },
  ],
}
