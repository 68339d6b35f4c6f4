/** The roles of a policy as its bindings give them. */
import type { Binding, BoundRole, Policy, Role } from '../model.ts'
import { readyMadeRoles } from '../ready-made.ts'

export interface GivenRole {
  readonly role: Role
  readonly bound: BoundRole
  readonly binding: Binding
}

export function* givenRoles({ bindings, roles }: Pick<Policy, 'bindings' | 'roles'>): Generator<GivenRole> {
  for (const binding of bindings) {
    for (const bound of binding.roles) {
      const role = roles.get(bound.name) ?? readyMadeRoles.get(bound.name)
      if (role !== undefined) yield { role, bound, binding }
    }
  }
}

/** Whom a binding reaches, in words. */
export function audience(to: Binding['to']): string {
  switch (to.kind) {
    case 'everyone':
      return 'everyone'
    case 'identities':
      return listed(to.ids, 'identity', 'identities')
    case 'groups':
      return listed(to.groups, 'group', 'groups')
    case 'kinds':
      return listed(to.kinds, 'kind', 'kinds')
  }
}

/** Names that are told one by one before the rest is only counted. */
const toldMax = 3

function listed(names: readonly string[], one: string, several: string): string {
  const told = names.slice(0, toldMax).join(', ')
  const more = names.length > toldMax ? ` and ${names.length - toldMax} more` : ''
  return `${names.length === 1 ? one : several} ${told}${more}`
}
