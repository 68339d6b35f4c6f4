/** The policy: who may do what with which topics. */

import { limits } from '../../core/limits.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import {
  activePolicyView,
  activeVersionView,
  addedPolicyView,
  addPolicyRequest,
  checkPolicyRequest,
  decisionQuery,
  decisionView,
  type PolicyVersionView,
  type PolicyView,
  policyCheckView,
  policyListView,
  policyParams,
  policyVersionView,
  policyView,
  shadowDifferencesView,
} from '../policies.ts'
import { emptyRequest } from '../requests.ts'

const version: PolicyVersionView = {
  number: 3,
  state: 'draft',
  note: 'edge nodes of line 3 speak Sparkplug',
  createdAt: '2026-11-25T08:00:00.000Z',
  createdBy: 'key:admin',
  changedAt: '2026-11-25T08:00:00.000Z',
  activatedAt: null,
}
const activeVersion: PolicyVersionView = { ...version, state: 'active', activatedAt: '2026-11-25T08:05:00.000Z' }
const example: PolicyView = { ...version, source: 'bindings:\n  - roles: [own-topics]\n    to: everyone\n' }
const warning = {
  line: 4,
  column: 9,
  rule: 'wide-grant',
  message: 'the role line grants publish on "#" to everyone',
}

/** A file in JSON, where a line feed takes two characters. */
const policyBodyBytesMax = limits.policyBytesMax * 2

export const listPolicies = operation({
  id: 'listPolicies',
  act: 'policy.read',
  method: 'GET',
  path: '/api/v1/policies',
  tag: 'policy',
  summary: 'List versions of the policy',
  description: 'Those that are kept, newest first, without their text.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'The versions.',
    schema: policyListView,
    example: { items: [version] },
  },
})

export const showPolicy = operation({
  id: 'showPolicy',
  act: 'policy.read',
  method: 'GET',
  path: '/api/v1/policies/{number}',
  tag: 'policy',
  summary: 'Show a version of the policy',
  description: 'With the file as it was given.',
  params: policyParams,
  answer: { kind: 'json', status: 200, description: 'The version.', schema: policyView, example },
  failures: ['policy-not-found'],
})

export const showActivePolicy = operation({
  id: 'showActivePolicy',
  act: 'policy.read',
  method: 'GET',
  path: '/api/v1/active-policy',
  tag: 'policy',
  summary: 'Show what decides now',
  description: 'Where no version is active, every identity has the topics below devices/<id>/ and nothing else.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'The active version.',
    schema: activePolicyView,
    example: { active: { ...example, ...activeVersion } },
  },
})

export const addPolicy = operation({
  id: 'addPolicy',
  act: 'policy.change',
  method: 'POST',
  path: '/api/v1/policies',
  tag: 'policy',
  summary: 'Write a version of the policy down',
  description:
    'As a draft, which decides nothing. A file that does not read, or fails one of its own tests, is not taken.',
  body: jsonBody(addPolicyRequest, { source: example.source, note: example.note }),
  bodyBytesMax: policyBodyBytesMax,
  answer: {
    kind: 'json',
    status: 201,
    description: 'It is written down.',
    schema: addedPolicyView,
    example: { ...version, warnings: [warning] },
  },
  keyed: true,
  transacts: true,
  failures: ['policy-invalid', 'policy-test-failed'],
})

export const checkPolicy = operation({
  id: 'checkPolicy',
  act: 'policy.change',
  method: 'POST',
  path: '/api/v1/policy-check',
  tag: 'policy',
  summary: 'Look at a policy file',
  description:
    'What keeps it from being taken, and what its author hardly meant, both with whom the registry knows. Nothing is written down.',
  body: jsonBody(checkPolicyRequest, { source: example.source }),
  bodyBytesMax: policyBodyBytesMax,
  answer: {
    kind: 'json',
    status: 200,
    description: 'What there is to say.',
    schema: policyCheckView,
    example: { problems: [], failed: [], warnings: [warning] },
  },
})

export const shadowPolicy = operation({
  id: 'shadowPolicy',
  act: 'policy.change',
  method: 'POST',
  path: '/api/v1/policies/{number}/shadow',
  tag: 'policy',
  summary: 'Try a version beside the active one',
  description:
    'It is asked whatever the active one is asked, and what it would decide otherwise is logged. It decides nothing.',
  params: policyParams,
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is the shadow.',
    schema: policyVersionView,
    example: { ...version, state: 'shadow' },
  },
  keyed: true,
  transacts: true,
  failures: ['policy-not-found', 'policy-state', 'policy-invalid', 'policy-test-failed'],
})

export const listShadowDifferences = operation({
  id: 'listShadowDifferences',
  act: 'shadow.read',
  method: 'GET',
  path: '/api/v1/policies/{number}/differences',
  tag: 'policy',
  summary: 'Show what a version would decide otherwise',
  description: `While it was in the shadow, as far as this process of the hub has heard: each difference of an identity once, the first ${limits.shadowDifferencesKeptMax} of them, those of the last ${limits.shadowVersionsKeptMax} versions.`,
  params: policyParams,
  answer: {
    kind: 'json',
    status: 200,
    description: 'The differences.',
    schema: shadowDifferencesView,
    example: {
      items: [
        {
          identity: 'pump-7',
          action: 'publish',
          topic: 'devices/pump-7/state',
          active: 3,
          decided: 'allow',
          because: 'role own-topics, statement 2 allows it',
          would: 'deny',
          wouldBecause: 'no statement allows it',
          first: '2026-11-25T08:05:00.000Z',
        },
      ],
      more: 0,
    },
  },
  failures: ['policy-not-found'],
})

export const unshadowPolicy = operation({
  id: 'unshadowPolicy',
  act: 'policy.change',
  method: 'POST',
  path: '/api/v1/shadow-policy/end',
  tag: 'policy',
  summary: 'End the shadow',
  description: 'What was tried is a draft again. Where nothing was, nothing changes.',
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'What decides now.',
    schema: activeVersionView,
    example: { active: activeVersion },
  },
  keyed: true,
})

export const activatePolicy = operation({
  id: 'activatePolicy',
  act: 'policy.change',
  method: 'POST',
  path: '/api/v1/policies/{number}/activate',
  tag: 'policy',
  summary: 'Make a version of the policy active',
  description: 'It decides from now on, also on sessions that live. Its tests are run again before.',
  params: policyParams,
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'It is active.',
    schema: policyVersionView,
    example: activeVersion,
  },
  keyed: true,
  transacts: true,
  failures: ['policy-not-found', 'policy-invalid', 'policy-test-failed'],
})

export const rollBackPolicy = operation({
  id: 'rollBackPolicy',
  act: 'policy.change',
  method: 'POST',
  path: '/api/v1/active-policy/rollback',
  tag: 'policy',
  summary: 'Take the active version of the policy back',
  description: 'What was active before it decides again; the default, where nothing was.',
  body: optionalBody(emptyRequest, {}),
  answer: {
    kind: 'json',
    status: 200,
    description: 'What decides now.',
    schema: activeVersionView,
    example: { active: { ...activeVersion, number: 2 } },
  },
  keyed: true,
  failures: ['policy-none'],
})

export const explainPolicy = operation({
  id: 'explainPolicy',
  act: 'policy.read',
  method: 'GET',
  path: '/api/v1/decision',
  tag: 'policy',
  summary: 'Ask what the policy decides',
  description: 'For an identity as the registry holds it, or one that it does not hold. Nothing is changed.',
  query: decisionQuery,
  answer: {
    kind: 'json',
    status: 200,
    description: 'The decision.',
    schema: decisionView,
    example: {
      allowed: true,
      because: 'role own-topics, statement 2 allows it',
      roles: ['own-topics'],
      policy: null,
      isKnown: true,
    },
  },
  failures: ['policy-not-found', 'identity-id-invalid'],
})
