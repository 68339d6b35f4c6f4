import { derTime } from '../../../../src/core/x509/der-writer.ts'
import { issuing, type RuleCases, soundDevice, soundIssuing, soundRoot } from '../draft.ts'

const { notBeforeSec, notAfterSec } = issuing.fields

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundIssuing,
    soundRoot,
    { what: 'one that ends in the very second of its issuer', draft: () => ({ notAfter: derTime(notAfterSec) }) },
  ],
  bad: [
    { what: 'one that ends a second after its issuer', draft: () => ({ notAfter: derTime(notAfterSec + 1) }) },
    { what: 'one that begins a second before its issuer', draft: () => ({ notBefore: derTime(notBeforeSec - 1) }) },
  ],
}
