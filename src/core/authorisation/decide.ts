/** Whether somebody may do something: denied unless a grant says otherwise. */
import type { IdentityKind } from '../identity/id.ts'
import { type Act, acts } from './act.ts'
import type { RoleGrant } from './role.ts'

/** Whoever asks, as far as it matters. */
export interface Holder {
  /** Each by itself: what one of them allows is allowed. */
  readonly grants: readonly RoleGrant[]
  /** When the last of it ends, milliseconds since the epoch; null for never. */
  readonly endsAtMs: number | null
}

/** What an act is done to. */
export type Target =
  | { readonly kind: 'hub' }
  /** An identity that is there. */
  | { readonly kind: 'identity'; readonly identity: { readonly kind: IdentityKind; readonly group: string | null } }
  /** The group that a device gets; null for none. */
  | { readonly kind: 'group'; readonly group: string | null }
  /** A role that somebody has. */
  | { readonly kind: 'held'; readonly grant: RoleGrant }
  /** A role that somebody shall get, and when it ends. */
  | { readonly kind: 'given'; readonly grant: RoleGrant; readonly endsAtMs: number | null }

/**
 * Why not: `role`, no role of the holder has the act at all; `foreign`, it is somebody else's, and whether it is there is not
 * the holder's to know; `group`, the group that was named is not the holder's; `exceeds`, it would give more than the holder
 * may.
 */
export type Refusal = 'role' | 'foreign' | 'group' | 'exceeds'

/** Null where the holder may. */
export function refusalOf(holder: Holder, act: Act, target: Target): Refusal | null {
  const able = holder.grants.filter((grant) => hasAct(grant, act))
  if (able.length === 0) return 'role'
  switch (target.kind) {
    case 'hub':
      // An act on what belongs to groups is never allowed for the whole by a grant of some.
      return acts[act].subject === 'hub' || reachOf(holder, act) === null ? null : 'foreign'
    case 'identity': {
      const { kind, group } = target.identity
      return able.some((grant) => reaches(grant, group) && (isEverywhere(grant) || kind !== 'user')) ? null : 'foreign'
    }
    case 'group':
      return able.some((grant) => reaches(grant, target.group)) ? null : 'group'
    case 'held':
      return able.some(isEverywhere) || isLess(target.grant, able) ? null : 'foreign'
    case 'given':
      if (!endsInTime(target.endsAtMs, holder.endsAtMs)) return 'exceeds'
      return able.some(isEverywhere) || isLess(target.grant, able) ? null : 'exceeds'
  }
}

/** The groups whose identities an act reaches, sorted; null for all. Empty where the act is not allowed anywhere. */
export function reachOf({ grants }: Pick<Holder, 'grants'>, act: Act): readonly string[] | null {
  const able = grants.filter((grant) => hasAct(grant, act))
  if (able.some(isEverywhere)) return null
  return [...new Set(able.flatMap(({ groups }) => groups))].sort()
}

/** Whether the act is allowed to a grant at all. */
export function hasAct({ role, mayRegister }: RoleGrant, act: Act): boolean {
  if (role === 'admin') return true
  const { roles } = acts[act]
  return roles.includes(role) || (role === 'requester' && mayRegister && roles.includes('registering'))
}

function isEverywhere({ role }: RoleGrant): boolean {
  return role === 'admin' || role === 'auditor'
}

function reaches(grant: RoleGrant, group: string | null): boolean {
  return isEverywhere(grant) || (group !== null && grant.groups.includes(group))
}

/**
 * Whether a role is less than what some owners have: a requester of their groups. Nobody but an admin makes their like, so that a
 * stolen key makes no second one that outlives it.
 */
function isLess({ role, groups }: RoleGrant, able: readonly RoleGrant[]): boolean {
  if (role !== 'requester' || groups.length === 0) return false
  const owners = able.filter((grant) => grant.role === 'owner')
  return groups.every((group) => owners.some((owner) => owner.groups.includes(group)))
}

function endsInTime(endsAtMs: number | null, byMs: number | null): boolean {
  return byMs === null || (endsAtMs !== null && endsAtMs <= byMs)
}
