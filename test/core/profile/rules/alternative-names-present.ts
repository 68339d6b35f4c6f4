import { contextConstructed } from '../../../../src/core/x509/der-tags.ts'
import { derElement, derOid } from '../../../../src/core/x509/der-writer.ts'
import { alternativeNames, generalName, type RuleCases, soundDevice, soundRoot, withExtension } from '../draft.ts'

const otherName = derElement(contextConstructed(0), derOid('1.2.3'), derElement(contextConstructed(0), derOid('1.2.4')))

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundRoot,
    { what: 'a mailbox alone', draft: (draft) => withExtension(draft, alternativeNames(generalName('email', 'a@b'))) },
  ],
  bad: [
    { what: 'an extension without a name', draft: (draft) => withExtension(draft, alternativeNames()) },
    {
      what: 'a name of another kind',
      draft: (draft) => withExtension(draft, alternativeNames(generalName('dns', 'a'), otherName)),
    },
  ],
}
