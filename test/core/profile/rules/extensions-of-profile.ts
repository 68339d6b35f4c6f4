import { derNull } from '../../../../src/core/x509/der-writer.ts'
import { basicConstraints } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import {
  type RuleCases,
  soundDevice,
  soundIssuing,
  soundRoot,
  soundServer,
  withCriticality,
  withExtension,
  withoutExtension,
} from '../draft.ts'

const netscape = { oid: '2.16.840.1.113730.1.1', critical: false, value: derNull() }

export const cases: RuleCases = {
  good: [soundDevice, soundServer, soundIssuing, soundRoot],
  bad: [
    { what: 'an extension that nobody gives', draft: (draft) => withExtension(draft, netscape) },
    { what: 'basicConstraints in a device', draft: (draft) => withExtension(draft, basicConstraints(0)) },
    { what: 'a device without its alternative name', draft: (draft) => withoutExtension(draft, oids.subjectAltName) },
    { what: 'a key usage that is not critical', draft: (draft) => withCriticality(draft, oids.keyUsage, false) },
    { what: 'a critical key identifier', draft: (draft) => withCriticality(draft, oids.subjectKeyIdentifier, true) },
    { what: 'a critical extended key usage', draft: (draft) => withCriticality(draft, oids.extendedKeyUsage, true) },
    {
      what: 'a critical CRL distribution point',
      draft: (draft) => withCriticality(draft, oids.crlDistributionPoints, true),
    },
    {
      what: 'a device that is not an OCSP responder and says so',
      draft: (draft) => withExtension(draft, { ...netscape, oid: oids.ocspNoCheck }),
    },
  ],
}
