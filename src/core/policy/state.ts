/**
 * draft → shadow ⇄ draft, draft or shadow → active → replaced → active. A version that was rolled back is `withdrawn`, and can
 * be taken again like a draft.
 */
export const policyStates = ['draft', 'shadow', 'active', 'replaced', 'withdrawn'] as const
export type PolicyState = (typeof policyStates)[number]
