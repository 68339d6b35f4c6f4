import { extendedKeyUsage, keyUsage } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { type RuleCases, soundDevice, soundRoot, soundServer, withExtension, withoutExtension } from '../draft.ts'

const purposes =
  (...list: readonly string[]) =>
  (draft: Parameters<typeof withExtension>[0]) =>
    withExtension(draft, extendedKeyUsage(list))

export const cases: RuleCases = {
  good: [soundDevice, soundServer, soundRoot, { what: 'an OCSP responder', draft: purposes(oids.ocspSigning) }],
  bad: [
    { what: 'any purpose', draft: purposes(oids.anyExtendedKeyUsage) },
    { what: 'OCSP beside another purpose', draft: purposes(oids.ocspSigning, oids.clientAuth) },
    { what: 'a purpose twice', draft: purposes(oids.clientAuth, oids.clientAuth) },
    { what: 'a client that cannot sign', draft: (draft) => withExtension(draft, keyUsage(['keyEncipherment'])) },
    { what: 'a client without key usage', draft: (draft) => withoutExtension(draft, oids.keyUsage) },
  ],
}
