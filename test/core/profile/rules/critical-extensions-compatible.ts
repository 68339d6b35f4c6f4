import type { CertificatePlan } from '../../../../src/core/profile/lint-rule.ts'
import { derNull } from '../../../../src/core/x509/der-writer.ts'
import { type RuleCases, soundDevice, withExtension } from '../draft.ts'

const policy = { oid: '2.5.29.32', critical: true, value: derNull() }
const forMbedtls = ({ profile }: CertificatePlan): Partial<CertificatePlan> => ({
  profile: { ...profile, compatibility: 'mbedtls' },
})

export const cases: RuleCases = {
  good: [
    soundDevice,
    { what: 'a device with mbedTLS', plan: forMbedtls },
    {
      what: 'the same extension, not critical',
      draft: (draft) => withExtension(draft, { ...policy, critical: false }),
      plan: forMbedtls,
    },
    { what: 'the same extension for others', draft: (draft) => withExtension(draft, policy) },
  ],
  bad: [{ what: 'a critical policy', draft: (draft) => withExtension(draft, policy), plan: forMbedtls }],
}
