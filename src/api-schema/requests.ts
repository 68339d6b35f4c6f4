/** What the admin API accepts. Unknown fields are refused by name. */
import { z } from 'zod'
import { revocationReasons } from '../core/identity/credential.ts'
import { limits } from '../core/limits.ts'

const reasonNames = Object.keys(revocationReasons) as [keyof typeof revocationReasons]

/** Seconds that a new token stays good: a minute to 30 days, a day if not given. */
const tokenLifetimeSec = z
  .number()
  .int()
  .min(60)
  .max(30 * 86_400)
  .default(86_400)

/** POST /api/v1/devices → 201 BootstrapView */
export const registerDeviceRequest = z.strictObject({
  id: z.string(),
  group: z.string().nullable().default(null),
  attributes: z.record(z.string(), z.string()).default({}),
  tokenLifetimeSec,
})
export type RegisterDeviceRequest = z.input<typeof registerDeviceRequest>

/** POST /api/v1/devices/:id/tokens → 201 BootstrapView */
export const createTokenRequest = z.strictObject({ tokenLifetimeSec })
export type CreateTokenRequest = z.input<typeof createTokenRequest>

/** POST /api/v1/devices/:id/revoke and /api/v1/credentials/:serial/revoke → 200 DeviceChangeView */
export const revokeRequest = z.strictObject({ reason: z.enum(reasonNames).default('unspecified') })
export type RevokeRequest = z.input<typeof revokeRequest>

/** POST /api/v1/devices/:id/disable, …/enable, …/retire → 200 DeviceChangeView; the body is {}. */
export const emptyRequest = z.strictObject({})

const page = {
  after: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(limits.pageRowsMax).default(limits.pageRowsDefault),
}

/** GET /api/v1/devices → PageView<DeviceView> */
export const deviceListQuery = z.strictObject({
  ...page,
  state: z.enum(['pending', 'active', 'disabled', 'retired']).optional(),
  group: z.string().max(limits.groupCharsMax).optional(),
})

/** GET /api/v1/attempts → PageView<AttemptView>; `order=oldest` with `after` follows. */
export const attemptListQuery = z.strictObject({
  ...page,
  outcome: z.enum(['admitted', 'refused']).optional(),
  device: z.string().max(limits.identityIdCharsMax).optional(),
  code: z.string().max(64).optional(),
  order: z.enum(['oldest', 'newest']).default('newest'),
})

/** GET /api/v1/audit → PageView<AuditEntryView>, newest first */
export const auditListQuery = z.strictObject(page)
