import { keyUsage } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, soundIssuing, withExtension, withoutExtension } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice, soundIssuing],
  bad: [
    { what: 'none', draft: (draft) => withoutExtension(draft, oids.keyUsage) },
    { what: 'one more', draft: (draft) => withExtension(draft, keyUsage(['digitalSignature', 'keyAgreement'])) },
    { what: 'another', draft: (draft) => withExtension(draft, keyUsage(['nonRepudiation'])) },
    {
      what: 'an authority that cannot sign its CRL',
      of: 'issuing',
      draft: (draft) => withExtension(draft, keyUsage(['keyCertSign'])),
    },
  ],
}
