/** Every operation of the admin API, and those of EST that a device needs, in the order of the document. */
import type { Operation } from './operation.ts'
import * as access from './operations/access.ts'
import * as adoption from './operations/adoptions.ts'
import * as anchor from './operations/anchors.ts'
import * as attempt from './operations/attempts.ts'
import * as authority from './operations/authorities.ts'
import * as bulk from './operations/bulk.ts'
import * as certificate from './operations/certificates.ts'
import * as device from './operations/devices.ts'
import * as request from './operations/enrolment-requests.ts'
import { estOperations } from './operations/est.ts'
import * as identity from './operations/identities.ts'
import * as password from './operations/passwords.ts'
import * as pin from './operations/pins.ts'
import * as policy from './operations/policies.ts'
import * as profile from './operations/profiles.ts'
import * as record from './operations/records.ts'
import * as renewal from './operations/renewals.ts'
import { verifierOperations } from './operations/verifier.ts'

/** Served by the admin API. */
export const apiOperations: readonly Operation[] = [
  device.registerDevice,
  device.listDevices,
  bulk.importDevices,
  device.showDevice,
  device.editDevice,
  device.createToken,
  device.disableDevice,
  device.enableDevice,
  device.retireDevice,
  device.revokeDevice,
  renewal.releaseDevice,
  renewal.callDevice,
  renewal.callRenewals,
  request.listEnrolmentRequests,
  request.approveEnrolment,
  request.refuseEnrolment,
  adoption.listAdoptions,
  adoption.adoptDevice,
  ...identity.allOf(identity.services),
  identity.createServiceToken,
  ...identity.allOf(identity.users),
  password.listPasswords,
  password.setPassword,
  password.revokePasswords,
  certificate.issueCertificate,
  certificate.listCertificates,
  certificate.showCertificate,
  authority.listAuthorities,
  authority.createChain,
  authority.showAuthority,
  authority.exportAuthorityKey,
  authority.removeAuthorityKey,
  authority.importAuthorityKey,
  authority.requestAuthority,
  authority.installAuthority,
  authority.listRollOvers,
  authority.beginRollOver,
  authority.pauseRollOver,
  authority.resumeRollOver,
  authority.undoRollOver,
  authority.cutRollOver,
  record.revokeCertificate,
  pin.listPins,
  pin.addPin,
  pin.removePin,
  anchor.listAnchors,
  anchor.showAnchor,
  anchor.addAnchor,
  anchor.editAnchor,
  anchor.fetchAnchorCrls,
  anchor.proveAnchor,
  anchor.giveAnchorCrl,
  anchor.distrustAnchor,
  anchor.removeAnchor,
  policy.listPolicies,
  policy.showPolicy,
  policy.showActivePolicy,
  policy.addPolicy,
  policy.checkPolicy,
  policy.shadowPolicy,
  policy.listShadowDifferences,
  policy.unshadowPolicy,
  policy.activatePolicy,
  policy.rollBackPolicy,
  policy.explainPolicy,
  profile.listProfiles,
  profile.showProfile,
  profile.addProfile,
  profile.changeProfile,
  profile.removeProfile,
  attempt.listAttempts,
  attempt.listCases,
  attempt.listIncidents,
  record.listAudit,
  record.listAuditChain,
  record.showAuditHead,
  access.showCaller,
  access.addKey,
  access.listKeys,
  access.showKey,
  access.removeKey,
  access.showRoles,
  access.grantRole,
  access.withdrawRole,
  record.showHub,
  record.showDocument,
]

/** Served by the EST listener. */
export const enrolmentOperations: readonly Operation[] = [...estOperations, ...verifierOperations]
