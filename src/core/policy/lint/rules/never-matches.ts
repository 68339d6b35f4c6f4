/** What decides nothing: roles that nobody has, bindings that reach nobody, conditions that cannot hold, rights without their other half. */
import { quote } from '../../../errors.ts'
import { FilterSet } from '../../filter-set.ts'
import type { Binding, Conditions, Policy, Role } from '../../model.ts'
import type { Action } from '../../rights.ts'
import { audience, type GivenRole, givenRoles } from '../roles.ts'
import type { Finding, Fleet, LintRule } from '../rule.ts'
import { boundTopic, shapeOf } from '../shapes.ts'

export const neverMatches: LintRule = {
  name: 'never-matches',
  *check(policy, { fleet }, nowMs) {
    const given = [...givenRoles(policy)]
    yield* unbound(policy, given)
    for (const binding of policy.bindings) yield* withoutAudience(binding, fleet)
    for (const role of policy.roles.values()) {
      for (const [i, { when, place }] of role.statements.entries()) {
        const until = when.time?.notAfterMs ?? null
        if (until === null || until >= nowMs) continue
        const message = `statement ${i + 1} of the role ${role.name} never matches again: its time ended at ${new Date(until).toISOString()}`
        yield { ...place, message }
      }
    }
    for (const each of given) yield* impossible(each)
    yield* lonely(given)
  },
}

type Found = Generator<Omit<Finding, 'rule'>>

function* unbound({ roles }: Policy, given: readonly GivenRole[]): Found {
  const bound = new Set(given.map(({ role }) => role.name))
  for (const [name, role] of roles) {
    if (bound.has(name)) continue
    yield { ...placeOf(role), message: `the role ${name} is bound to nobody: none of its statements ever matches` }
  }
}

function placeOf({ statements }: Role): { readonly line: number; readonly column: number } {
  return statements[0]?.place ?? { line: 1, column: 1 }
}

function* withoutAudience({ to, place }: Binding, fleet: Fleet | null): Found {
  if (fleet !== null && fleet.countOf(to) === 0) {
    yield { ...place, message: `the binding to ${audience(to)} reaches nobody: the registry has no such identity` }
  }
}

/** A condition that excludes all to whom the binding gives the role. */
function* impossible({ role, binding }: GivenRole): Found {
  for (const [i, { when, place }] of role.statements.entries()) {
    const why = contradiction(when, binding.to)
    if (why === null) continue
    const at = place.line === 0 ? binding.place : place
    const which = `statement ${i + 1} of the role ${role.name}`
    yield { ...at, message: `${which} never matches for ${audience(binding.to)}: it wants ${why}` }
  }
}

function contradiction({ kinds, groups }: Conditions, to: Binding['to']): string | null {
  if (to.kind === 'kinds' && kinds !== undefined && !to.kinds.some((kind) => kinds.includes(kind))) {
    return `the kind ${kinds.join(' or ')}`
  }
  if (to.kind === 'groups' && groups !== undefined && !to.groups.some((group) => groups.includes(group))) {
    return `the group ${groups.join(' or ')}`
  }
  return null
}

/** `subscribe` opens nothing without `receive`, and `retain` nothing without `publish` or `will`, on the same topics. */
const otherHalves: readonly (readonly [Action, readonly Action[]])[] = [
  ['subscribe', ['receive']],
  ['retain', ['publish', 'will']],
]

function* lonely(given: readonly GivenRole[]): Found {
  for (const [action, halves] of otherHalves) {
    const partners = new FilterSet<true>()
    let isAnyMet = false
    for (const { shape } of given.flatMap((each) => topicsOf(each, halves))) {
      if (shape === null) isAnyMet = true
      else partners.add(shape, true)
    }
    if (isAnyMet) continue
    for (const each of given) {
      if (each.role.statements[0]?.place.line === 0) continue
      for (const { topic, shape, at } of topicsOf(each, [action])) {
        if (shape === null || partners.overlapping(shape) !== null) continue
        const message = `the role ${each.role.name} allows ${action} on ${quote(topic)}, and nothing allows ${halves.join(' or ')} there: nothing comes of it`
        yield { ...at, message }
      }
    }
  }
}

function topicsOf({ role, bound }: GivenRole, wanted: readonly Action[]) {
  return role.statements
    .filter(({ effect, actions }) => effect === 'allow' && actions.some((action) => wanted.includes(action)))
    .flatMap(({ topics, place }) =>
      topics.map((each) => {
        const topic = boundTopic(each, role, bound)
        return { topic, shape: coarse(topic), at: place }
      }),
    )
}

/** Variables may stand for anything, for two topics that may meet. */
function coarse(topic: string): ReturnType<typeof shapeOf> {
  const levels = topic.split('/').map((level) => (level.includes('${') ? '+' : level))
  return shapeOf(levels.join('/'))
}
