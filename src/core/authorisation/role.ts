/**
 * What the holder of an API key, or a person, may do.
 *
 * `admin` may do everything; `owner` everything about the identities of its groups; `requester` may ask for certificates
 * for identities of its groups, as an enrolment station does; `auditor` may read everything and change nothing.
 */
export const roles = ['admin', 'owner', 'requester', 'auditor'] as const
export type Role = (typeof roles)[number]
