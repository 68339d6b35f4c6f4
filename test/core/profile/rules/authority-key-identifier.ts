import { contextPrimitive } from '../../../../src/core/x509/der-tags.ts'
import { derElement, derSequence } from '../../../../src/core/x509/der-writer.ts'
import { authorityKeyIdentifier } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import {
  issuing,
  type RuleCases,
  root,
  soundDevice,
  soundIssuing,
  soundRoot,
  withExtension,
  withoutExtension,
} from '../draft.ts'

const bySerial = derSequence(derElement(contextPrimitive(2), Uint8Array.of(1)))

export const cases: RuleCases = {
  good: [soundDevice, soundIssuing, soundRoot],
  bad: [
    { what: 'none', draft: (draft) => withoutExtension(draft, oids.authorityKeyIdentifier) },
    {
      what: 'that of another authority',
      draft: (draft) =>
        withExtension(draft, authorityKeyIdentifier(root.fields.subjectKeyIdentifier ?? new Uint8Array())),
    },
    {
      what: 'one without a key identifier',
      draft: (draft) => withExtension(draft, { oid: oids.authorityKeyIdentifier, critical: false, value: bySerial }),
    },
    {
      what: 'an issuer without an identifier of its own',
      plan: () => ({ issuer: { ...issuing.fields, subjectKeyIdentifier: null } }),
    },
  ],
}
