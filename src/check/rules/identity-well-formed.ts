import { identityKinds, isIdentityId } from '../../core/identity/id.ts'
import { identityStates, parseAttributes, parseGroup } from '../../core/identity/identity.ts'
import { parseIdentityNames } from '../../core/identity/names.ts'
import type { CheckContext, IdentityRow, IdentityRule, Problem } from '../rule.ts'

export const identityWellFormed: IdentityRule = {
  name: 'identity-well-formed',
  reason: 'ids stand in topics and certificates, states decide access, and both come from closed sets',
  *look({ id, identity }, { profiles }): Iterable<Problem> {
    if (identity === null) return
    for (const sentence of [...faultsOf(identity), ...grantFaults(identity, profiles)]) yield { subject: id, sentence }
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

function* grantFaults({ profiles: granted, names }: IdentityRow, known: CheckContext['profiles']): Iterable<string> {
  if (!parses(() => parseIdentityNames(JSON.parse(names)))) yield 'has names that are not well formed'
  if (!parses(() => stringsIn(granted))) return yield 'has grants that cannot be read'
  const unknown = stringsIn(granted).find((name) => !known.has(name))
  if (unknown !== undefined) yield `is granted the profile ${JSON.stringify(unknown)}, which there is not`
}

function stringsIn(text: string): readonly string[] {
  const list: unknown = JSON.parse(text)
  if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list
  throw new TypeError('not a list of strings')
}

function parses(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}
