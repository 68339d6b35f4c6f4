import { ecKey } from '../../x509/support.ts'
import { type RuleCases, soundDevice } from '../draft.ts'

const another = ecKey().spki

export const cases: RuleCases = {
  good: [
    soundDevice,
    {
      what: 'a key of which nobody knows any more whether it was ordered',
      draft: () => ({ publicKey: another }),
      plan: () => ({ publicKey: null }),
    },
  ],
  bad: [{ what: 'another key', draft: () => ({ publicKey: another }) }],
}
