import { identityKinds, isIdentityId } from '../../core/identity/id.ts'
import { identityStates, parseAttributes, parseGroup } from '../../core/identity/identity.ts'
import type { IdentityRow, IdentityRule, Problem } from '../rule.ts'

export const identityWellFormed: IdentityRule = {
  name: 'identity-well-formed',
  reason: 'ids stand in topics and certificates, states decide access, and both come from closed sets',
  *look({ id, identity }): Iterable<Problem> {
    if (identity === null) return
    for (const sentence of faultsOf(identity)) yield { subject: id, sentence }
  },
}

function* faultsOf({ id, kind, state, group_name: group, attributes, version }: IdentityRow): Iterable<string> {
  if (!isIdentityId(id)) yield 'has an id that is not well formed'
  if (!identityKinds.includes(kind)) yield `is of the unknown kind ${JSON.stringify(kind)}`
  if (!identityStates.includes(state)) yield `is in the unknown state ${JSON.stringify(state)}`
  if (!Number.isInteger(version) || version < 1) yield `has the version ${version}`
  if (group !== null && !parses(() => parseGroup(group))) yield 'has a group that is not well formed'
  if (!parses(() => parseAttributes(JSON.parse(attributes)))) yield 'has attributes that are not well formed'
}

function parses(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}
