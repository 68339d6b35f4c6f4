import { tags } from '../../../../src/core/x509/der-tags.ts'
import { derElement, derOid, derSequence, derSet } from '../../../../src/core/x509/der-writer.ts'
import { buildName, emptyName } from '../../../../src/core/x509/name.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, soundRoot } from '../draft.ts'

const printable = derElement(tags.printableString, Buffer.from('plant issuing'))

export const cases: RuleCases = {
  good: [soundDevice, soundRoot],
  bad: [
    { what: 'no issuer', draft: () => ({ issuer: emptyName }) },
    { what: 'another issuer', draft: () => ({ issuer: buildName('somebody else') }) },
    {
      what: 'the same text in another string type',
      draft: () => ({ issuer: derSequence(derSet(derSequence(derOid(oids.commonName), printable))) }),
    },
    {
      what: 'a root with another name than its own as issuer',
      of: 'root',
      draft: () => ({ issuer: buildName('another root') }),
    },
  ],
}
