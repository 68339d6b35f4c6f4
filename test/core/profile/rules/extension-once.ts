import { keyUsage } from '../../../../src/core/x509/extensions.ts'
import { type RuleCases, soundDevice } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice],
  bad: [
    {
      what: 'two key usages, the second for an authority',
      draft: ({ extensions }) => ({ extensions: [...extensions, keyUsage(['keyCertSign'])] }),
    },
    {
      what: 'the same extension twice',
      draft: ({ extensions }) => ({ extensions: [...extensions, ...extensions.slice(0, 1)] }),
    },
  ],
}
