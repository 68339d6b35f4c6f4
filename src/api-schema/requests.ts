/** What the admin API accepts. Unknown fields are refused by name. */
import { z } from 'zod'
import { HubError } from '../core/errors.ts'
import { revocationReasons } from '../core/identity/credential.ts'
import { identityStates, keyStorages, parseAttributes, parseGroup } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import { requestNamed } from './components.ts'
import { grantFields, tokenProfile } from './grants.ts'

const reasonNames = Object.keys(revocationReasons) as [keyof typeof revocationReasons]

/** Judged by `parseIdentityId`, whose failure has a code of its own. */
export const deviceId = z.string().meta({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
  minLength: 1,
  maxLength: limits.identityIdCharsMax,
  description: 'id of the device: A-Z a-z 0-9 . _ -, a letter or digit first',
})

export const deviceGroup = z.string().check(judgedBy(parseGroup)).meta({
  minLength: 1,
  maxLength: limits.groupCharsMax,
  description: 'text without + # / and control characters',
})

const attributeName = z.string().meta({
  pattern: '^[A-Za-z][A-Za-z0-9_-]*$',
  maxLength: limits.attributeNameCharsMax,
})
const attributeValue = z.string().meta({
  maxLength: limits.attributeValueCharsMax,
  description: 'text without + # / and control characters',
})

export const deviceAttributes = z
  .record(attributeName, attributeValue)
  .check(eachAttributeJudged)
  .meta({ maxProperties: limits.attributesMax, description: 'names of letters, digits, "_" and "-", and their values' })

/** Why it is kept, the same wherever it stands. */
export const keyStorageSays = 'where its private key lives, as its operator says: policies may ask for it'
export const keyStorage = z
  .enum(keyStorages)
  .nullable()
  .meta({ description: `${keyStorageSays}; null where nobody knows` })

/** Seconds that a new token stays good: a minute to 30 days, a day if not given. */
export const tokenLifetimeBounds = { min: 60, max: 30 * 86_400, default: 86_400 } as const

const tokenLifetimeSec = z
  .number()
  .int()
  .min(tokenLifetimeBounds.min)
  .max(tokenLifetimeBounds.max)
  .default(tokenLifetimeBounds.default)
  .meta({ description: 'seconds that the token stays good' })

const needsApproval = z
  .boolean()
  .default(false)
  .meta({ description: 'whether an operator approves the key of the device before it gets its certificate' })

/** POST /api/v1/devices → 201 BootstrapView */
export const registerDeviceRequest = requestNamed(
  'RegisterDeviceRequest',
  'A device to register.',
  z.strictObject({
    id: deviceId,
    group: deviceGroup.nullable().default(null),
    attributes: deviceAttributes.default({}),
    keyStorage: keyStorage.default(null),
    ...z.strictObject(grantFields).partial().shape,
    tokenProfile,
    tokenLifetimeSec,
    needsApproval,
  }),
)
export type RegisterDeviceRequest = z.input<typeof registerDeviceRequest>

/** PATCH /api/v1/devices/:id → 200 DeviceView; a JSON merge patch (RFC 7396). */
export const editDeviceRequest = requestNamed(
  'EditDeviceRequest',
  'A JSON merge patch (RFC 7396): what is absent stays as it is, what is null goes.',
  z.strictObject({
    group: deviceGroup.nullable().optional(),
    attributes: z
      .record(attributeName, attributeValue.nullable())
      .check(eachAttributeJudged)
      .nullable()
      .optional()
      .meta({ description: 'attributes to set; null removes one, and null in place of the object all of them' }),
    keyStorage: keyStorage.optional(),
    ...z.strictObject(grantFields).partial().shape,
  }),
)
export type EditDeviceRequest = z.input<typeof editDeviceRequest>

/** POST /api/v1/devices/:id/tokens → 201 BootstrapView */
export const createTokenRequest = requestNamed(
  'CreateTokenRequest',
  'What a new token shall be for, how long it shall be good, and for whom.',
  z.strictObject({ tokenProfile, tokenLifetimeSec, needsApproval }),
)
export type CreateTokenRequest = z.input<typeof createTokenRequest>

/** POST /api/v1/devices/:id/revoke and /api/v1/credentials/:serial/revoke → 200 DeviceChangeView */
export const revokeRequest = requestNamed(
  'RevokeRequest',
  'Why something is revoked.',
  z.strictObject({
    reason: z.enum(reasonNames).default('unspecified').meta({ description: 'stands in the CRL (RFC 5280 §5.3.1)' }),
  }),
)
export type RevokeRequest = z.input<typeof revokeRequest>

/** POST /api/v1/devices/:id/disable, …/enable, …/retire → 200 DeviceChangeView; the body is {}. */
export const emptyRequest = requestNamed('EmptyRequest', 'Nothing: `{}`, or no body at all.', z.strictObject({}))

/** The device in a path. */
export const deviceParams = z.strictObject({ id: deviceId })

/** The certificate in a path. */
export const credentialParams = z.strictObject({
  serial: z.string().meta({ description: 'serial number in hexadecimal, in either case, with or without colons' }),
})

export const page = {
  after: z
    .string()
    .max(limits.cursorCharsMax)
    .optional()
    .meta({ description: 'the `next` of the page before, unchanged; the first page without it' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(limits.pageRowsMax)
    .default(limits.pageRowsDefault)
    .meta({ description: 'rows on a page' }),
}

/** An id, or what one begins with. */
export const idBeginning = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  .max(limits.identityIdCharsMax)

/** GET /api/v1/devices → PageView<DeviceView> */
export const deviceListQuery = z.strictObject({
  ...page,
  state: z.enum(identityStates).optional().meta({ description: 'only devices in this state' }),
  group: deviceGroup.optional().meta({ description: 'only devices of this group' }),
  idPrefix: idBeginning.optional().meta({ description: 'only devices whose id begins with it' }),
  attr: z
    .record(attributeName, attributeValue)
    .check(eachAttributeJudged)
    .refine((wanted) => Object.keys(wanted).length <= limits.attributeFiltersMax, {
      message: `asks for more than ${limits.attributeFiltersMax} attributes`,
    })
    .optional()
    .meta({ description: 'only devices whose attributes have these values, as in `attr.site=hall-2`' }),
})

/** GET /api/v1/attempts → PageView<AttemptView>; `order=oldest` with `since` follows. */
export const attemptListQuery = z.strictObject({
  ...page,
  outcome: z.enum(['admitted', 'refused']).optional().meta({ description: 'only those that ended so' }),
  device: idBeginning.optional().meta({ description: 'only those of this device' }),
  code: z.string().max(64).optional().meta({ description: 'only those with this failure' }),
  order: z.enum(['oldest', 'newest']).default('newest').meta({ description: 'what comes first' }),
  since: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .meta({ description: 'only those numbered above it: with `order=oldest` the way to follow' }),
  from: z.iso.datetime().optional().meta({ description: 'only those at this time or later' }),
})

/** GET /api/v1/audit → PageView<AuditEntryView>, newest first */
export const auditListQuery = z.strictObject(page)

/** GET /api/v1/audit/chain → AuditChainView, oldest first */
export const auditChainQuery = z.strictObject({
  since: z.coerce.number().int().min(0).default(0).meta({ description: 'only entries numbered above it' }),
  limit: page.limit,
})

/** GET /api/v1/adoptions → PageView<AdoptionView>, by id */
export const adoptionListQuery = z.strictObject({
  ...page,
  device: deviceId.optional().meta({ description: 'only this device' }),
})

/** GET /api/v1/enrolment-requests → PageView<EnrolmentRequestView>, oldest first */
export const enrolmentRequestListQuery = z.strictObject(page)

/** POST /api/v1/devices/:id/approve and …/refuse → 200 EnrolmentDecisionView */
export const decideEnrolmentRequest = requestNamed(
  'DecideEnrolmentRequest',
  'Which key is meant.',
  z.strictObject({
    words: z.string().max(128).nullable().default(null).meta({
      description: 'the six words of the key, in any case; four letters of each are enough. Null for the only one',
    }),
  }),
)

/** A check that takes the sentence of a parser of the domain as its own. */
function judgedBy(parse: (value: string) => unknown): z.core.CheckFn<string> {
  return ({ value, issues }) => {
    try {
      parse(value)
    } catch (error) {
      issues.push(issueOf(error, value, []))
    }
  }
}

/** Names and values by the rules of the domain, each fault at its attribute; null stands for one that goes. */
function eachAttributeJudged({ value, issues }: z.core.ParsePayload<Record<string, string | null>>): void {
  const names = Object.keys(value)
  if (names.length > limits.attributesMax) {
    issues.push({ code: 'custom', input: value, path: [], message: `more than ${limits.attributesMax} attributes` })
    return
  }
  for (const name of names) {
    try {
      parseAttributes({ [name]: value[name] ?? '' })
    } catch (error) {
      issues.push(issueOf(error, value, [name]))
    }
  }
}

function issueOf(error: unknown, input: unknown, path: PropertyKey[]): z.core.$ZodRawIssue {
  if (!(error instanceof HubError)) throw error
  return { code: 'custom', input, path, message: error.message, params: { hint: error.hint } }
}
