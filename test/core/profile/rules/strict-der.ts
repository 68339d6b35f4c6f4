import { derBitString, derSequence } from '../../../../src/core/x509/der-writer.ts'
import { keyUsage } from '../../../../src/core/x509/extensions.ts'
import { type RuleCases, soundDevice, soundRoot, withExtension } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice, soundRoot],
  bad: [
    { what: 'bytes behind the certificate', bytes: (der) => Buffer.concat([der, Uint8Array.of(0)]) },
    { what: 'a certificate that is cut short', bytes: (der) => der.subarray(0, -1) },
    { what: 'no certificate', bytes: () => derSequence(derBitString(Uint8Array.of(1))) },
    {
      what: 'a length in more octets than it needs',
      bytes: (der) => Buffer.concat([Uint8Array.of(0x30, 0x83, 0), der.subarray(2)]),
    },
    {
      what: 'a key usage that is no BIT STRING',
      draft: (draft) => withExtension(draft, { ...keyUsage(['cRLSign']), value: Uint8Array.of(5, 0) }),
    },
    { what: 'a version that there is not', draft: () => ({ version: 4 }) },
  ],
}
