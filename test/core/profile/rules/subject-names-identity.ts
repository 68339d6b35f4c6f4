import { buildName, emptyName } from '../../../../src/core/x509/name.ts'
import { type RuleCases, soundDevice, soundIssuing, soundServer } from '../draft.ts'

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundIssuing,
    soundServer,
    { what: 'a device below an organization', draft: () => ({ subject: buildName('device-1', 'Plant') }) },
  ],
  bad: [
    { what: 'the id of another device', draft: () => ({ subject: buildName('device-2') }) },
    { what: 'a device without a subject', draft: () => ({ subject: emptyName }) },
  ],
}
