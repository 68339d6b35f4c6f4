import { tags } from '../../../../src/core/x509/der-tags.ts'
import { derElement, derOid, derSequence, derSet, derUtf8String } from '../../../../src/core/x509/der-writer.ts'
import { buildName } from '../../../../src/core/x509/name.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, soundIssuing } from '../draft.ts'

const attribute = (oid: string, value: Uint8Array): Uint8Array => derSet(derSequence(derOid(oid), value))
const named = (text: string) => () => ({ subject: buildName(text) })

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundIssuing,
    { what: '64 characters', draft: named('ü'.repeat(64)) },
    { what: 'an organization above the name', draft: () => ({ subject: buildName('pump-1', 'Plant') }) },
  ],
  bad: [
    { what: '65 characters', draft: named('x'.repeat(65)) },
    { what: 'a NUL in the name', draft: named('pump-1\0.example') },
    { what: 'a character that turns the text around', draft: named('pump\u202e1') },
    { what: 'blanks around the name', draft: named(' pump-1') },
    {
      what: 'an old string type',
      draft: () => ({
        subject: derSequence(attribute(oids.commonName, derElement(tags.teletexString, Buffer.from('pump-1')))),
      }),
    },
    {
      what: 'two common names',
      draft: () => ({
        subject: derSequence(
          attribute(oids.commonName, derUtf8String('pump-1')),
          attribute(oids.commonName, derUtf8String('pump-2')),
        ),
      }),
    },
    {
      what: 'a country of three letters',
      draft: () => ({ subject: derSequence(attribute(oids.countryName, derUtf8String('DEU'))) }),
    },
    {
      what: 'an attribute of a type that nobody gives',
      draft: () => ({ subject: derSequence(attribute('1.2.3.4', derUtf8String('x'))) }),
    },
  ],
}
