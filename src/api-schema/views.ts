/**
 * The words of the admin API (`/api/v1`): what the hub accepts and what it answers. The hub validates with these schemas
 * and the command line reads its answers through their types, so that both ends mean the same.
 *
 * Times are ISO 8601 in UTC with milliseconds. Lists are pages: `{ items, next }`, where `next` goes into `?after=`.
 */
import { z } from 'zod'

export const deviceView = z.object({
  id: z.string(),
  kind: z.enum(['device', 'service', 'user']),
  state: z.enum(['pending', 'active', 'disabled', 'retired']),
  group: z.string().nullable(),
  attributes: z.record(z.string(), z.string()),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type DeviceView = z.infer<typeof deviceView>

export const credentialView = z.object({
  serialNumber: z.string(),
  fingerprint: z.string(),
  deviceId: z.string(),
  authority: z.string(),
  profile: z.string(),
  state: z.enum(['intended', 'pending', 'active', 'superseded', 'revoked', 'expired', 'unadopted']),
  notBefore: z.string(),
  notAfter: z.string(),
  issuedAt: z.string(),
  activatedAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  revocationReason: z.string().nullable(),
})
export type CredentialView = z.infer<typeof credentialView>

/** A new token, inside the string that a device enrols with. It is shown once. */
export const bootstrapView = z.object({
  device: deviceView,
  bootstrap: z.string(),
  tokenExpiresAt: z.string(),
})
export type BootstrapView = z.infer<typeof bootstrapView>

export const deviceDetailView = z.object({
  device: deviceView,
  /** The newest 100, newest first. */
  credentials: z.array(credentialView),
})
export type DeviceDetailView = z.infer<typeof deviceDetailView>

/** What a revocation or a change of state did. */
export const deviceChangeView = z.object({
  device: deviceView,
  /** Serial numbers that were revoked by this act. */
  revoked: z.array(z.string()),
  /** Enrolment tokens that were ended by this act. */
  tokensEnded: z.number().int(),
})
export type DeviceChangeView = z.infer<typeof deviceChangeView>

export const certificateSummaryView = z.object({
  fingerprint: z.string(),
  serialNumber: z.string(),
  subject: z.string(),
  issuer: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
})

export const attemptView = z.object({
  number: z.number().int(),
  at: z.string(),
  listener: z.string(),
  address: z.string(),
  stage: z.string(),
  outcome: z.enum(['admitted', 'refused']),
  /** Stable name of the failure, null when admitted. */
  code: z.string().nullable(),
  /** Its number in the catalogue, as in HF-2108; null when admitted. */
  failureId: z.string().nullable(),
  sentence: z.string(),
  /** What to do next, null when admitted. */
  cure: z.string().nullable(),
  deviceId: z.string().nullable(),
  clientId: z.string().nullable(),
  tlsVersion: z.string().nullable(),
  mqttVersion: z.string().nullable(),
  certificate: certificateSummaryView.nullable(),
})
export type AttemptView = z.infer<typeof attemptView>

export const auditEntryView = z.object({
  number: z.number().int(),
  at: z.string(),
  actor: z.string(),
  act: z.string(),
  subject: z.string(),
  before: z.unknown(),
  after: z.unknown(),
})
export type AuditEntryView = z.infer<typeof auditEntryView>

const endpoint = z.object({ host: z.string(), port: z.number().int() })

export const hubView = z.object({
  version: z.string(),
  realm: z.string(),
  publicName: z.string(),
  mqtt: endpoint,
  https: endpoint,
  http: endpoint,
  rootFingerprint: z.string(),
  /** Root certificates in PEM. */
  ca: z.string(),
  sessions: z.number().int(),
  upstream: z.object({ kind: z.string(), available: z.boolean() }),
})
export type HubView = z.infer<typeof hubView>

/** A page of any view. */
export interface PageView<T> {
  items: T[]
  next: string | null
}

/** RFC 9457, with our code, its number and the next action. */
export const problemView = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  failureId: z.string(),
  hint: z.string(),
})
export type ProblemView = z.infer<typeof problemView>
