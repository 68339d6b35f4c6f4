/**
 * `handfast/device`: what a device needs to get a certificate, keep it, renew it and show it, without a line of the hub. docs/device-sdk.md
 * shows it in use.
 */
export { HubError } from '../core/errors.ts'
export type { FailureName } from '../core/failure/catalogue.ts'
export { type Bootstrap, parseBootstrap } from '../core/identity/bootstrap.ts'
export { type IdentityId, parseIdentityId } from '../core/identity/id.ts'
export { Secret } from '../core/secret.ts'
export { type EnrolOptions, type EnrolProgress, type EnrolResult, enrol } from './enrol.ts'
export { type EnrolAtOptions, enrolAtServer } from './enrol-at.ts'
export type { EnrolmentKey } from './enrolment-key.ts'
export { type BroughtPaths, broughtIn, broughtNames } from './import/brought-files.ts'
export { type ImportOptions, type ImportResult, importCredential } from './import/import-credential.ts'
export { type KeepRenewedOptions, keepRenewed } from './keep-renewed.ts'
export type { DeviceIdentity, DeviceKey, KeyPlace, KeyReference, OpensslPlace } from './key-elsewhere/reference.ts'
export { type NewKeyKind, newKeyKinds } from './private-key.ts'
export { type RootsResult, refreshRoots } from './refresh-roots.ts'
export { type AgentOptions, type Look, look } from './renewal/agent.ts'
export type { Hooks } from './renewal/hooks.ts'
export { type Renewed, type RenewOptions, renew } from './renewal/renew.ts'
export { type AgentStatus, agentStatus } from './renewal/status.ts'
export {
  type CredentialFiles,
  type CredentialStore,
  type CredentialStoreOptions,
  type HeldCredential,
  type HubRecord,
  type NewCertificate,
  type NewCredential,
  type NewReferredCredential,
  type SlotName,
  slotNames,
  type TlsIdentity,
} from './store/credential.ts'
export { openCredentialStore } from './store/open.ts'
export { type DeviceTlsOptions, tlsOptions } from './tls-options.ts'
