import { basicConstraints } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import {
  type RuleCases,
  soundDevice,
  soundIssuing,
  soundRoot,
  withCriticality,
  withExtension,
  withoutExtension,
} from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice, soundIssuing, soundRoot],
  bad: [
    { what: 'a device that is an authority', draft: (draft) => withExtension(draft, basicConstraints(0)) },
    {
      what: 'an authority that does not say so',
      of: 'issuing',
      draft: (draft) => withoutExtension(draft, oids.basicConstraints),
    },
    {
      what: 'an authority that does not say so critically',
      of: 'issuing',
      draft: (draft) => withCriticality(draft, oids.basicConstraints, false),
    },
    {
      what: 'an issuing authority with others below it',
      of: 'issuing',
      draft: (draft) => withExtension(draft, basicConstraints(3)),
    },
  ],
}
