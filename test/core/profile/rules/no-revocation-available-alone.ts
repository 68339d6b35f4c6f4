import { derNull } from '../../../../src/core/x509/der-writer.ts'
import { authorityInfoAccess } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, withExtension, withoutExtension } from '../draft.ts'

const noRevAvail = { oid: oids.noRevAvail, critical: false, value: derNull() }
const ocsp = authorityInfoAccess({ ocspUrl: 'http://hub.example/ocsp' })

export const cases: RuleCases = {
  good: [
    soundDevice,
    {
      what: 'one that is revoked nowhere and says so',
      draft: (draft) => withExtension({ ...draft, ...withoutExtension(draft, oids.crlDistributionPoints) }, noRevAvail),
    },
  ],
  bad: [
    { what: 'a CRL beside it', draft: (draft) => withExtension(draft, noRevAvail) },
    {
      what: 'OCSP beside it',
      draft: (draft) => {
        const bare = { ...draft, ...withoutExtension(draft, oids.crlDistributionPoints) }
        return withExtension({ ...bare, ...withExtension(bare, ocsp) }, noRevAvail)
      },
    },
    { what: 'an authority', of: 'issuing', draft: (draft) => withExtension(draft, noRevAvail) },
  ],
}
