import { rootProfile } from '../../../../src/core/profile/built-in.ts'
import { basicConstraints } from '../../../../src/core/x509/extensions.ts'
import { issuing, type RuleCases, root, soundDevice, soundIssuing, soundRoot, withExtension } from '../draft.ts'

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundIssuing,
    soundRoot,
    {
      what: 'an authority below one without a limit',
      of: 'issuing',
      plan: () => ({ issuer: { ...root.fields, basicConstraints: { ca: true, pathLength: null } } }),
    },
    {
      what: 'a root that follows another one of its name, certified by it',
      of: 'issuing',
      draft: (draft) => ({ ...withExtension(draft, basicConstraints(1)), subject: draft.issuer }),
      plan: () => ({ profile: rootProfile, subject: root.fields.subject.der }),
    },
    {
      what: 'the successor of a root, of the same name, which counts for no step',
      of: 'issuing',
      draft: (draft) => ({ subject: root.fields.subject.der, ...withExtension(draft, basicConstraints(1)) }),
    },
  ],
  bad: [
    { what: 'a device below a device', plan: () => ({ issuer: { ...issuing.fields, basicConstraints: null } }) },
    {
      what: 'a device below an authority for CRLs alone',
      plan: () => ({ issuer: { ...issuing.fields, keyUsage: ['cRLSign'] } }),
    },
    {
      what: 'an authority below one that may have none below it',
      of: 'issuing',
      plan: () => ({ issuer: issuing.fields }),
    },
    {
      what: 'an authority that allows as many below it as its issuer',
      of: 'issuing',
      draft: (draft) => withExtension(draft, basicConstraints(1)),
    },
  ],
}
