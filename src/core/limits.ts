/**
 * Every limit of the hub, with its unit in its name and its reason beside it, in a room for each topic: `xLimits` stands in
 * `limits/x.ts`. docs/limits.md repeats them for operators; a test holds the two together.
 */
import { anchorLimits } from './limits/anchor.ts'
import { attemptLimits } from './limits/attempt.ts'
import { authorityLimits } from './limits/authority.ts'
import { brokerLimits } from './limits/broker.ts'
import { certificateLimits } from './limits/certificate.ts'
import { doctorLimits } from './limits/doctor.ts'
import { doctorFileLimits } from './limits/doctor-file.ts'
import { doctorLogLimits } from './limits/doctor-log.ts'
import { enrolmentLimits } from './limits/enrolment.ts'
import { gatesLimits } from './limits/gates.ts'
import { httpLimits } from './limits/http.ts'
import { identityLimits } from './limits/identity.ts'
import { importLimits } from './limits/import.ts'
import { keyFileLimits } from './limits/key-file.ts'
import { listenerLimits } from './limits/listener.ts'
import { mqttLimits } from './limits/mqtt.ts'
import { passwordLimits } from './limits/password.ts'
import { policyLimits } from './limits/policy.ts'
import { profileLimits } from './limits/profile.ts'
import { registryLimits } from './limits/registry.ts'
import { statusLimits } from './limits/status.ts'
import { verifyLimits } from './limits/verify.ts'
import { watchingLimits } from './limits/watching.ts'

export const limits = {
  ...identityLimits,
  ...profileLimits,
  ...policyLimits,
  ...certificateLimits,
  ...keyFileLimits,
  ...doctorFileLimits,
  ...authorityLimits,
  ...statusLimits,
  ...enrolmentLimits,
  ...httpLimits,
  ...importLimits,
  ...passwordLimits,
  ...anchorLimits,
  ...listenerLimits,
  ...mqttLimits,
  ...brokerLimits,
  ...gatesLimits,
  ...attemptLimits,
  ...watchingLimits,
  ...verifyLimits,
  ...registryLimits,
  ...doctorLimits,
  ...doctorLogLimits,
} as const
