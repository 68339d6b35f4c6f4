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

const version = z.strictObject({
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
})

export const policyVersionView = answerNamed('PolicyVersion', 'A version of the policy without its file.', version)
export type PolicyVersionView = z.output<typeof policyVersionView>

export const policyView = answerNamed(
  'Policy',
  'A version of the policy.',
  version.extend({ source: z.string().meta({ description: 'the policy file as it was given' }) }),
)
export type PolicyView = z.output<typeof policyView>

const place = {
  line: z.number().int().meta({ description: 'counted from 1' }),
  column: z.number().int().meta({ description: 'counted from 1' }),
}

const policyWarning = z.strictObject({
  ...place,
  rule: z.string().meta({ description: 'its name on docs/policy.md' }),
  message: z.string(),
})

/** POST /api/v1/policies → 201 AddedPolicyView */
export const addedPolicyView = answerNamed(
  'AddedPolicy',
  'A version of the policy that was written down, and what its author hardly meant.',
  version.extend({
    warnings: z.array(policyWarning).meta({ description: 'in the order of the file; they keep nobody from taking it' }),
  }),
)
export type AddedPolicyView = z.output<typeof addedPolicyView>

export const policyListView = answerNamed(
  'PolicyList',
  'All versions of the policy that are kept, newest first.',
  z.strictObject({ items: z.array(policyVersionView) }),
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

export const activeVersionView = answerNamed(
  'ActivePolicyVersion',
  'Which version decides now.',
  z.strictObject({
    active: policyVersionView
      .nullable()
      .meta({ description: 'null where no policy is active and the default decides' }),
  }),
)
export type ActiveVersionView = z.output<typeof activeVersionView>

const verdict = z.enum(['allow', 'deny'])

const shadowDifferenceView = z.strictObject({
  identity: z.string(),
  action: z.enum(actions),
  topic: z.string().meta({ description: 'a filter where the action is subscribe; empty where it is connect' }),
  active: z.number().int().nullable().meta({ description: 'the version that decided; null for the default' }),
  decided: verdict,
  because: z.string().meta({ description: 'the statement that decided' }),
  would: verdict.meta({ description: 'what the version in the shadow would have decided' }),
  wouldBecause: z.string().meta({ description: 'the statement that would have' }),
  first: time('when it was first heard'),
})
export type ShadowDifferenceView = z.output<typeof shadowDifferenceView>

/** GET /api/v1/policies/{number}/differences → 200 ShadowDifferencesView */
export const shadowDifferencesView = answerNamed(
  'ShadowDifferences',
  'What a version of the policy would have decided otherwise while it was in the shadow, since this process of the hub began.',
  z.strictObject({
    items: z.array(shadowDifferenceView).meta({ description: 'each once, in the order in which they were heard' }),
    more: z.number().int().meta({ description: 'how many others were heard and are not kept' }),
  }),
)
export type ShadowDifferencesView = z.output<typeof shadowDifferencesView>

/** POST /api/v1/policy-check → 200 PolicyCheckView */
export const checkPolicyRequest = requestNamed(
  'CheckPolicyRequest',
  'A policy file to look at.',
  addPolicyRequest.pick({ source: true }),
)
export type CheckPolicyRequest = z.input<typeof checkPolicyRequest>

const policyProblem = z.strictObject({ ...place, message: z.string() })

export const policyCheckView = answerNamed(
  'PolicyCheck',
  'What the hub says of a policy file. It is taken where there are neither problems nor failed tests.',
  z.strictObject({
    problems: z.array(policyProblem).meta({ description: 'why it does not read' }),
    failed: z.array(policyProblem).meta({ description: 'its tests that do not come out, of whom the registry knows' }),
    warnings: z
      .array(policyWarning)
      .meta({ description: 'what its author hardly meant, counted with whom the registry knows' }),
  }),
)
export type PolicyCheckView = z.output<typeof policyCheckView>

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
