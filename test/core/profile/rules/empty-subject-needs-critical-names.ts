import { emptyName } from '../../../../src/core/x509/name.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, soundRoot, withCriticality, withoutExtension } from '../draft.ts'

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundRoot,
    {
      what: 'no subject and critical names',
      draft: (draft) => ({ subject: emptyName, ...withCriticality(draft, oids.subjectAltName, true) }),
    },
  ],
  bad: [
    { what: 'no subject and names that are not critical', draft: () => ({ subject: emptyName }) },
    { what: 'neither', draft: (draft) => ({ subject: emptyName, ...withoutExtension(draft, oids.subjectAltName) }) },
    { what: 'a subject and critical names', draft: (draft) => withCriticality(draft, oids.subjectAltName, true) },
    { what: 'an authority without a subject', of: 'issuing', draft: () => ({ subject: emptyName }) },
  ],
}
