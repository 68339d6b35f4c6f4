/** The policy as the admin API takes and shows it. docs/policy.md explains what stands in a policy file. */
import { z } from 'zod'
import { limits } from '../core/limits.ts'
import { actions } from '../core/policy/rights.ts'
import { policyStates } from '../core/policy/state.ts'
import { answerNamed, requestNamed } from './components.ts'
import { deviceId } from './requests.ts'

const time = (description: string) => z.string().meta({ format: 'date-time', description })

export const policyParams = z.strictObject({
  number: z
    .string()
    .regex(/^[1-9][0-9]{0,9}$/, 'is not the number of a version')
    .meta({ description: 'number of the version' }),
})

/** POST /api/v1/policies → 201 PolicyView */
export const addPolicyRequest = requestNamed(
  'AddPolicyRequest',
  'A version of the policy to write down as a draft.',
  z.strictObject({
    source: z.string().min(1).max(limits.policyBytesMax).meta({ description: 'the policy file, YAML' }),
    note: z
      .string()
      .max(limits.policyNoteCharsMax)
      .default('')
      .meta({ description: 'what has changed, for its readers' }),
  }),
)
export type AddPolicyRequest = z.input<typeof addPolicyRequest>

export const policyView = answerNamed(
  'Policy',
  'A version of the policy.',
  z.strictObject({
    number: z.number().int().meta({ description: 'counted from 1' }),
    state: z.enum(policyStates).meta({
      description:
        'draft: decides nothing; shadow: decides nothing, and its differences are told; active: decides; replaced: was active; withdrawn: was rolled back',
    }),
    note: z.string(),
    createdAt: time('when it was written down'),
    createdBy: z.string().meta({ description: 'who wrote it down, as in the audit log' }),
    changedAt: time('when its state changed last'),
    activatedAt: time('when it was last made active').nullable(),
    source: z.string().meta({ description: 'the policy file; empty in a list' }),
  }),
)
export type PolicyView = z.output<typeof policyView>

export const policyListView = answerNamed(
  'PolicyList',
  'All versions of the policy that are kept, newest first.',
  z.strictObject({ items: z.array(policyView) }),
)
export type PolicyListView = z.output<typeof policyListView>

export const activePolicyView = answerNamed(
  'ActivePolicy',
  'What decides now.',
  z.strictObject({
    active: policyView.nullable().meta({ description: 'null where no policy is active and the default decides' }),
  }),
)
export type ActivePolicyView = z.output<typeof activePolicyView>

/** GET /api/v1/decision → 200 DecisionView */
export const decisionQuery = z.strictObject({
  identity: deviceId,
  action: z.enum(actions),
  topic: z
    .string()
    .max(limits.topicBytesMax)
    .default('')
    .meta({ description: 'a topic name; a filter where the action is subscribe; empty where it is connect' }),
  clientId: z
    .string()
    .max(limits.clientIdBytesMax)
    .optional()
    .meta({ description: 'the id of the identity without it' }),
  address: z.string().max(64).optional().meta({ description: 'where it connects from; not known without it' }),
  tlsVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.3'),
  version: z
    .string()
    .regex(/^[1-9][0-9]{0,9}$/, 'is not the number of a version')
    .optional()
    .meta({ description: 'a version of the policy; the active one without it' }),
})
export type DecisionQuery = z.input<typeof decisionQuery>

export const decisionView = answerNamed(
  'Decision',
  'What the policy decides, and which statement does.',
  z.strictObject({
    allowed: z.boolean(),
    because: z.string().meta({ description: 'the statement that decides' }),
    roles: z.array(z.string()).meta({ description: 'the roles that the identity has' }),
    policy: z.number().int().nullable().meta({ description: 'the version that was asked; null for the default' }),
    isKnown: z.boolean().meta({ description: 'false where the registry does not hold the identity' }),
  }),
)
export type DecisionView = z.output<typeof decisionView>
