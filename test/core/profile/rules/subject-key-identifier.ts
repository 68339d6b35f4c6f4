import { subjectKeyIdentifier } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, soundRoot, withExtension, withoutExtension } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice, soundRoot],
  bad: [
    {
      what: 'an authority without one',
      of: 'issuing',
      draft: (draft) => withoutExtension(draft, oids.subjectKeyIdentifier),
    },
    { what: 'a device without one', draft: (draft) => withoutExtension(draft, oids.subjectKeyIdentifier) },
    {
      what: 'one that is not of its key',
      draft: (draft) => withExtension(draft, subjectKeyIdentifier(new Uint8Array(20))),
    },
  ],
}
