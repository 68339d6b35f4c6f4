import { type RuleCases, soundDevice } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice],
  bad: [{ what: 'a unique identifier of version 2', draft: () => ({ hasUniqueId: true }) }],
}
