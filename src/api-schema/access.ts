/** API keys and roles of people: what is asked for and what is answered. */
import { z } from 'zod'
import { roles } from '../core/authorisation/role.ts'
import { limits } from '../core/limits.ts'
import { answerNamed, requestNamed } from './components.ts'
import { deviceGroup, deviceId } from './requests.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })

/** Judged by `parseKeyName`, whose sentence says more. */
const keyName = z.string().meta({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
  minLength: 1,
  maxLength: limits.identityIdCharsMax,
  description:
    'name of the key: A-Z a-z 0-9 . _ -, a letter or digit first; it stands in the audit log as `key:<name>`',
})

const role = z.enum(roles).meta({ description: 'what it is for: docs/roles.md says what each may do' })

const grantFields = {
  role,
  groups: z
    .array(deviceGroup)
    .max(limits.groupsPerGrantMax)
    .default([])
    .meta({ description: 'where an owner or a requester is one; none for the others, who are it everywhere' }),
  mayRegister: z
    .boolean()
    .default(false)
    .meta({ description: 'of a requester: whether it registers new devices in those groups, too' }),
}

/** Seconds that a key lives: a minute to ten years. */
export const keyLifetimeBounds = { min: 60, max: 3_650 * 86_400 } as const

/** POST /api/v1/keys → 201 NewApiKeyView */
export const addKeyRequest = requestNamed(
  'AddKeyRequest',
  'An API key to make.',
  z.strictObject({
    name: keyName,
    ...grantFields,
    lifetimeSec: z
      .number()
      .int()
      .min(keyLifetimeBounds.min)
      .max(keyLifetimeBounds.max)
      .nullable()
      .default(null)
      .meta({ description: 'seconds until it ends; null for a key that does not end' }),
  }),
)
export type AddKeyRequest = z.input<typeof addKeyRequest>

/** The key in a path. */
export const keyParams = z.strictObject({ name: keyName })

/** The person in a path. */
export const personParams = z.strictObject({ id: deviceId.meta({ description: 'id of the person' }) })

/** POST /api/v1/users/{id}/roles/grant → 200 PersonRolesView */
export const grantRoleRequest = requestNamed(
  'GrantRoleRequest',
  'A role that a person shall have.',
  z.strictObject(grantFields),
)
export type GrantRoleRequest = z.input<typeof grantRoleRequest>

/** POST /api/v1/users/{id}/roles/withdraw → 200 PersonRolesView */
export const withdrawRoleRequest = requestNamed(
  'WithdrawRoleRequest',
  'A role that a person shall have no more.',
  z.strictObject({ role: grantFields.role, groups: grantFields.groups }),
)
export type WithdrawRoleRequest = z.input<typeof withdrawRoleRequest>

const heldFields = {
  role: z.enum(roles),
  groups: z.array(z.string()).meta({ description: 'where an owner or a requester is one; empty for the others' }),
  mayRegister: z.boolean().meta({ description: 'whether a requester registers new devices there' }),
}

export const apiKeyView = answerNamed(
  'ApiKeyView',
  'An API key. Its secret is not kept.',
  z.object({
    name: z.string().meta({ description: 'unique among the keys that there are' }),
    id: z.string().meta({ pattern: '^[0-9a-f]{16}$', description: 'what the text of the key begins with; not secret' }),
    ...heldFields,
    state: z.enum(['active', 'ended']),
    createdAt: time('when it was made'),
    expiresAt: time('when it ends').nullable(),
  }),
)
export type ApiKeyView = z.infer<typeof apiKeyView>

export const newApiKeyView = answerNamed(
  'NewApiKeyView',
  'A key that was just made. Its text is secret and shown once.',
  z.object({
    key: apiKeyView,
    secret: z.string().meta({ description: 'the text of the key, for `Authorization: Bearer`; secret' }),
  }),
)
export type NewApiKeyView = z.infer<typeof newApiKeyView>

export const apiKeyListView = answerNamed(
  'ApiKeyList',
  'API keys, ascending by name: all that the caller may know of.',
  z.object({ items: z.array(apiKeyView) }),
)
export type ApiKeyListView = z.infer<typeof apiKeyListView>

export const grantView = answerNamed('RoleGrantView', 'A role, and where it holds.', z.object(heldFields))
export type GrantView = z.infer<typeof grantView>

export const personRolesView = answerNamed(
  'PersonRolesView',
  'A person with its roles: those that the caller may know of.',
  z.object({ id: z.string().meta({ description: 'id of the person' }), roles: z.array(grantView) }),
)
export type PersonRolesView = z.infer<typeof personRolesView>

export const callerView = answerNamed(
  'CallerView',
  'Who asks.',
  z.object({
    actor: z.string().meta({ description: 'as the audit log names it: `key:<name>` or `user:<id>`' }),
    roles: z.array(grantView),
    endsAt: time('when the key ends').nullable(),
    acts: z.array(z.string()).meta({ description: 'what it may do, within its groups where it is bound to groups' }),
  }),
)
export type CallerView = z.infer<typeof callerView>
