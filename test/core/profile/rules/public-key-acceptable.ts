import { ecKey, rsaKey } from '../../x509/support.ts'
import { type RuleCases, soundDevice, soundRoot } from '../draft.ts'

const keyed = (spki: Uint8Array) => ({ draft: () => ({ publicKey: spki }), plan: () => ({ publicKey: spki }) })

/** RFC 9500 §2.3, testECCP256. */
const published = Buffer.from(
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==',
  'base64',
)

export const cases: RuleCases = {
  good: [
    soundDevice,
    soundRoot,
    { what: 'RSA 2048', ...keyed(rsaKey().spki) },
    { what: 'P-384', ...keyed(ecKey('P-384').spki) },
  ],
  bad: [
    { what: 'RSA 1024', ...keyed(rsaKey(1024).spki) },
    { what: 'a small exponent', ...keyed(rsaKey(2048, 3).spki) },
    { what: 'a curve that the profile does not allow', ...keyed(ecKey('secp256k1').spki) },
    { what: 'a key whose other half is published', ...keyed(published) },
    {
      what: 'a point that is not on its curve, in place of a good key',
      draft: ({ publicKey }) => ({
        publicKey: Buffer.concat([publicKey.subarray(0, -1), Uint8Array.of((publicKey.at(-1) ?? 0) ^ 1)]),
      }),
    },
  ],
}
