import { basicConstraints, keyUsage } from '../../../../src/core/x509/extensions.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { rsaKey } from '../../x509/support.ts'
import { type RuleCases, soundDevice, soundIssuing, soundRoot, withExtension, withoutExtension } from '../draft.ts'

const rsa = rsaKey().spki

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundIssuing,
    soundRoot,
    {
      what: 'an RSA key that enciphers keys',
      draft: (draft) => ({
        publicKey: rsa,
        ...withExtension(draft, keyUsage(['digitalSignature', 'keyEncipherment'])),
      }),
    },
  ],
  bad: [
    { what: 'a device that may sign certificates', draft: (draft) => withExtension(draft, keyUsage(['keyCertSign'])) },
    { what: 'an authority that may not', of: 'issuing', draft: (draft) => withExtension(draft, keyUsage(['cRLSign'])) },
    { what: 'an authority without key usage', of: 'issuing', draft: (draft) => withoutExtension(draft, oids.keyUsage) },
    {
      what: 'a device that is an authority and may not sign',
      draft: (draft) => withExtension(draft, basicConstraints(0)),
    },
    { what: 'an ECDSA key that enciphers keys', draft: (draft) => withExtension(draft, keyUsage(['keyEncipherment'])) },
    {
      what: 'an RSA key that agrees on keys',
      draft: (draft) => ({ publicKey: rsa, ...withExtension(draft, keyUsage(['keyAgreement'])) }),
    },
    {
      what: 'encipherOnly alone',
      draft: (draft) => withExtension(draft, keyUsage(['digitalSignature', 'encipherOnly'])),
    },
  ],
}
