/** Services and people, as the admin API takes and shows them: identities whose certificates operators order. */
import { z } from 'zod'
import { identityKinds } from '../core/identity/id.ts'
import { identityStates, keyStorages } from '../core/identity/identity.ts'
import { limits } from '../core/limits.ts'
import { answerNamed, requestNamed } from './components.ts'
import {
  deviceAttributes,
  deviceGroup,
  deviceId,
  editDeviceRequest,
  idBeginning,
  keyStorage,
  keyStorageSays,
  page,
} from './requests.ts'
import { credentialView, pageOf } from './views.ts'

const name = (description: string) => z.string().min(1).max(limits.identityNameCharsMax).meta({ description })

/** Judged by the parsers of the domain, whose failure has a code of its own. */
export const dnsNames = z.array(name('a DNS name, without wildcard')).max(limits.identityNamesMax)
export const ipAddresses = z.array(name('an IPv4 or IPv6 address of one host')).max(limits.identityNamesMax)
export const emails = z.array(name('an e-mail address in ASCII')).max(limits.identityNamesMax)
export const profileName = z
  .string()
  .min(1)
  .max(limits.profileNameCharsMax)
  .meta({ description: 'name of a profile: built in or of the operator' })

/** POST /api/v1/services, /api/v1/users → 201 IdentityView */
export const registerIdentityRequest = requestNamed(
  'RegisterIdentityRequest',
  'A service or a person to register.',
  z.strictObject({
    id: deviceId,
    group: deviceGroup.nullable().default(null),
    attributes: deviceAttributes.default({}),
    dnsNames: dnsNames.default([]),
    ipAddresses: ipAddresses.default([]),
    emails: emails.default([]),
    keyStorage: keyStorage.default(null),
    profiles: z
      .array(profileName)
      .max(limits.identityProfilesMax)
      .nullable()
      .default(null)
      .meta({ description: 'profiles that its certificates may be made from; null for those of its kind' }),
  }),
)
export type RegisterIdentityRequest = z.input<typeof registerIdentityRequest>

/** PATCH /api/v1/services/:id, /api/v1/users/:id → 200 IdentityView; a JSON merge patch (RFC 7396). */
export const editIdentityRequest = requestNamed(
  'EditIdentityRequest',
  'A JSON merge patch (RFC 7396): what is absent stays as it is; a list takes the place of the one before.',
  z.strictObject({
    ...editDeviceRequest.shape,
  }),
)
export type EditIdentityRequest = z.input<typeof editIdentityRequest>

/** GET /api/v1/services, /api/v1/users → PageView<IdentityView> */
export const identityListQuery = z.strictObject({
  ...page,
  state: z.enum(identityStates).optional().meta({ description: 'only those in this state' }),
  group: deviceGroup.optional().meta({ description: 'only those of this group' }),
  idPrefix: idBeginning.optional().meta({ description: 'only those whose id begins with it' }),
})

const time = (description: string) => z.string().meta({ format: 'date-time', description })

export const identityView = answerNamed(
  'IdentityView',
  'A service or a person as the registry holds it.',
  z.object({
    id: z.string().meta({ description: 'its name, unique among all identities for ever' }),
    kind: z.enum(identityKinds),
    state: z.enum(identityStates).meta({ description: 'only active ones get certificates; retired is final' }),
    group: z.string().nullable(),
    attributes: z.record(z.string(), z.string()),
    dnsNames: z.array(z.string()).meta({ description: 'what its certificates may call it, beside its id' }),
    ipAddresses: z.array(z.string()),
    emails: z.array(z.string()),
    profiles: z.array(z.string()).meta({ description: 'profiles that it is granted' }),
    keyStorage: z.enum(keyStorages).nullable().meta({ description: keyStorageSays }),
    version: z.number().int().meta({ description: 'one more with every change; in quotes it is the ETag' }),
    createdAt: time('when it was registered'),
    updatedAt: time('when it was changed last'),
  }),
)
export type IdentityView = z.infer<typeof identityView>

export const identityDetailView = answerNamed(
  'IdentityDetailView',
  'A service or a person with its certificates.',
  z.object({
    identity: identityView,
    credentials: z.array(credentialView).meta({ description: 'the newest 100, newest first' }),
  }),
)
export type IdentityDetailView = z.infer<typeof identityDetailView>

export const identityChangeView = answerNamed(
  'IdentityChangeView',
  'What a revocation or a change of state did.',
  z.object({
    identity: identityView,
    revoked: z.array(z.string()).meta({ description: 'serial numbers that were revoked by this act' }),
  }),
)
export type IdentityChangeView = z.infer<typeof identityChangeView>

export const identityPageView = pageOf('IdentityPage', 'A page of services or people, ascending by id.', identityView)
