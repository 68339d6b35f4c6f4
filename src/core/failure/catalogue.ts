/**
 * The one list of failures. Everything that refuses, rejects or gives up names an entry of it: errors, attempts,
 * CONNACKs, HTTP problems, EST answers and exit statuses.
 *
 * `cause` says what happened and `cure` what to do next, a sentence each, for a tired person at a machine. Ids are
 * stable: an entry may be added or its text improved, its id is never given to something else.
 */
import { agentFailures } from './entries/agent.ts'
import { apiFailures } from './entries/api.ts'
import { attachmentFailures } from './entries/attachment.ts'
import { authorityFailures } from './entries/authority.ts'
import { backupFailures } from './entries/backup.ts'
import { certificateFailures } from './entries/certificate.ts'
import { clientSideFailures } from './entries/client-side.ts'
import { credentialStoreFailures } from './entries/credential-store.ts'
import { deviceFileFailures } from './entries/device-files.ts'
import { deviceKeyFailures } from './entries/device-key.ts'
import { enrolmentFailures } from './entries/enrolment.ts'
import { estFailures } from './entries/est.ts'
import { foreignFailures } from './entries/foreign.ts'
import { gateLinkFailures } from './entries/gate-link.ts'
import { hubFailures } from './entries/hub.ts'
import { identityFailures } from './entries/identity.ts'
import { issuanceFailures } from './entries/issuance.ts'
import { mosquittoConfigurationFailures } from './entries/mosquitto-configuration.ts'
import { mqttFailures } from './entries/mqtt.ts'
import { passwordFailures } from './entries/password.ts'
import { policyFailures } from './entries/policy.ts'
import { probeFailures } from './entries/probe.ts'
import { profileFailures } from './entries/profile.ts'
import { renewalFailures } from './entries/renewal.ts'
import { roleFailures } from './entries/roles.ts'
import { sessionFailures } from './entries/session.ts'
import { signingFailures } from './entries/signing.ts'
import { statusFailures } from './entries/status.ts'
import { transportFailures } from './entries/transport.ts'
import { verifyFailures } from './entries/verify.ts'
import type { Failure } from './failure.ts'

const entries = {
  ...transportFailures,
  ...probeFailures,
  ...certificateFailures,
  ...passwordFailures,
  ...statusFailures,
  ...identityFailures,
  ...foreignFailures,
  ...policyFailures,
  ...mqttFailures,
  ...sessionFailures,
  ...enrolmentFailures,
  ...credentialStoreFailures,
  ...deviceFileFailures,
  ...deviceKeyFailures,
  ...renewalFailures,
  ...agentFailures,
  ...attachmentFailures,
  ...estFailures,
  ...issuanceFailures,
  ...signingFailures,
  ...apiFailures,
  ...roleFailures,
  ...hubFailures,
  ...gateLinkFailures,
  ...authorityFailures,
  ...backupFailures,
  ...profileFailures,
  ...clientSideFailures,
  ...verifyFailures,
  ...mosquittoConfigurationFailures,
} as const satisfies Record<string, Failure>

/** The stable name of a failure, as errors and attempts carry it. */
export type FailureName = keyof typeof entries

/** Every failure by name. */
export const failures: Readonly<Record<FailureName, Failure>> = entries

/** All names, in the order of the catalogue. */
export const failureNames: readonly FailureName[] = Object.keys(entries) as FailureName[]

/** The entry of one failure. */
export function failure(name: FailureName): Failure {
  return failures[name]
}

/** True when a string from outside names a failure. */
export function isFailureName(value: string): value is FailureName {
  return Object.hasOwn(failures, value)
}

/**
 * What a refused client may be told, as one sentence: it goes into a Reason String (MQTT 5 §3.2.2.3.9) or an EST body.
 *
 * @param detail the specific sentence for the operator; used only where the client has proved enough to read it
 */
export function toldToClient(name: FailureName, detail?: string): string {
  const { id, told, cause } = failure(name)
  switch (told) {
    case 'general':
      return 'not accepted by this hub; its operator can see why'
    case 'revoked':
      return 'revoked'
    case 'disabled':
      return 'disabled'
    case 'cause':
      return `${id} ${detail ?? cause}`
  }
}
