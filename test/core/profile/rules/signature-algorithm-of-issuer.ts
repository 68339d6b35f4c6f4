import { derNull, derOid, derSequence } from '../../../../src/core/x509/der-writer.ts'
import { oids } from '../../../../src/core/x509/oids.ts'
import { rsaKey } from '../../x509/support.ts'
import { issuing, type RuleCases, soundDevice, soundRoot } from '../draft.ts'

const rsaIssuer = { ...issuing.fields, publicKey: rsaKey().spki }

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundRoot,
    {
      what: 'RSA with SHA-256 below an RSA key',
      draft: () => ({ algorithm: derSequence(derOid(oids.sha256WithRsa), derNull()) }),
      plan: () => ({ issuer: rsaIssuer }),
    },
  ],
  bad: [
    { what: 'ECDSA below an RSA key', plan: () => ({ issuer: rsaIssuer }) },
    { what: 'ECDSA with SHA-1', draft: () => ({ algorithm: derSequence(derOid(oids.ecdsaWithSha1)) }) },
    {
      what: 'ECDSA with parameters, which must be absent',
      draft: () => ({ algorithm: derSequence(derOid(oids.ecdsaWithSha256), derNull()) }),
    },
  ],
}
