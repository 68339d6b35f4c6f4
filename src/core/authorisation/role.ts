/** Roles of those who use the admin API: what a key or a person is trusted with, and where. */
import { HubError, quote } from '../errors.ts'
import { parseGroup } from '../identity/identity.ts'
import { limits } from '../limits.ts'

/**
 * - `admin` may do everything.
 * - `owner` of groups registers, changes, revokes and issues for what is in them.
 * - `requester` of groups asks for tokens and certificates for what is in them: an enrolment station.
 * - `auditor` reads everything and changes nothing.
 */
export const roles = ['admin', 'owner', 'requester', 'auditor'] as const
export type Role = (typeof roles)[number]

/** A role, and where it holds. */
export interface RoleGrant {
  readonly role: Role
  /** Of an owner or a requester: 1 to `limits.groupsPerGrantMax`, sorted, each once. Empty for the others, who have all. */
  readonly groups: readonly string[]
  /** Whether a requester may also register new devices in those groups. False for the others: their role says it. */
  readonly mayRegister: boolean
}

/** Everything, everywhere. */
export const adminGrant: RoleGrant = { role: 'admin', groups: [], mayRegister: false }

export function isBoundToGroups(role: Role): boolean {
  return role === 'owner' || role === 'requester'
}

/**
 * A grant from what was asked for.
 *
 * @throws HubError `request-invalid` for an owner or requester of nothing, for groups of an admin or auditor, for `mayRegister`
 *   of anything but a requester, and for what is no group
 */
export function parseRoleGrant(wanted: {
  readonly role: Role
  readonly groups: readonly string[]
  readonly mayRegister: boolean
}): RoleGrant {
  const { role, mayRegister } = wanted
  const groups = [...new Set(wanted.groups.map(parseGroup))].sort()
  if (isBoundToGroups(role) && groups.length === 0) {
    throw new HubError('request-invalid', `${withArticle(role)} needs a group`, { hint: 'name at least one group' })
  }
  if (!isBoundToGroups(role) && groups.length > 0) {
    throw new HubError(
      'request-invalid',
      `${withArticle(role)} is not bound to groups, and ${quote(groups[0])} was named`,
      {
        hint: 'leave the groups out, or ask for the role owner or requester',
      },
    )
  }
  if (groups.length > limits.groupsPerGrantMax) {
    throw new HubError('request-invalid', `${groups.length} groups are more than ${limits.groupsPerGrantMax}`)
  }
  if (mayRegister && role !== 'requester') {
    throw new HubError('request-invalid', `only a requester is allowed to register devices apart from its role`, {
      hint: 'admins and owners may register devices anyway, auditors never',
    })
  }
  return { role, groups, mayRegister }
}

/** A grant in a few words, as in `requester of line-2, line-3, who may register devices`. */
export function grantText({ role, groups, mayRegister }: RoleGrant): string {
  const where = groups.length === 0 ? '' : ` of ${groups.join(', ')}`
  return `${role}${where}${mayRegister ? ', who may register devices' : ''}`
}

function withArticle(role: Role): string {
  return `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role}`
}
