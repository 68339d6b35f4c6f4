import { extendedKeyUsage } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, soundRoot, soundServer, withExtension, withoutExtension } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice, soundServer, soundRoot],
  bad: [
    { what: 'none, which is for every purpose', draft: (draft) => withoutExtension(draft, oids.extendedKeyUsage) },
    {
      what: 'a device that is also a server',
      draft: (draft) => withExtension(draft, extendedKeyUsage([oids.clientAuth, oids.serverAuth])),
    },
    {
      what: 'a server that is a device',
      of: 'server',
      draft: (draft) => withExtension(draft, extendedKeyUsage([oids.clientAuth])),
    },
    {
      what: 'an authority for one purpose',
      of: 'issuing',
      draft: (draft) => withExtension(draft, extendedKeyUsage([oids.clientAuth])),
    },
  ],
}
