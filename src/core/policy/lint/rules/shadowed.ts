/** Statements that another one of their role makes useless: an allow that a deny always wins over, or what is said twice. */
import { contains } from '../../../mqtt/filter.ts'
import type { Role, Statement } from '../../model.ts'
import type { LintRule } from '../rule.ts'
import { shapeOf } from '../shapes.ts'

export const shadowed: LintRule = {
  name: 'shadowed',
  *check({ roles }) {
    for (const role of roles.values()) {
      for (const [i, statement] of role.statements.entries()) {
        const by = shadowOf(role, i)
        if (by === null) continue
        const { effect, place } = role.statements[by] as Statement
        const [it, other] = [`statement ${i + 1} of the role ${role.name}`, `statement ${by + 1} (line ${place.line})`]
        const isWonOver = effect === 'deny' && statement.effect === 'allow'
        const message = isWonOver
          ? `${it} allows nothing: ${other} denies all of it`
          : `${it} is shadowed by ${other}, which says it already`
        yield { ...statement.place, message }
      }
    }
  },
}

/** The statement without conditions that covers another one whole, or null. Of two that say the same, the later is shadowed. */
function shadowOf({ statements }: Role, index: number): number | null {
  const inner = statements[index] as Statement
  const found = statements.findIndex((outer, i) => {
    if (i === index || Object.keys(outer.when).length > 0) return false
    if (inner.effect === 'deny' && outer.effect === 'allow') return false
    // A deny whose variable is not defined denies more than its topics, which no other deny says.
    if (inner.effect === 'deny' && inner.topics.some((topic) => topic.includes('${'))) return false
    if (!covers(outer, inner)) return false
    return inner.effect !== outer.effect || i < index || !covers(inner, outer) || Object.keys(inner.when).length > 0
  })
  return found < 0 ? null : found
}

function covers(outer: Statement, inner: Statement): boolean {
  if (!inner.actions.every((action) => outer.actions.includes(action))) return false
  return inner.topics.every((topic) => outer.topics.some((wider) => isWithin(topic, wider)))
}

function isWithin(topic: string, wider: string): boolean {
  if (topic === wider) return true
  const [inner, outer] = [shapeOf(topic), shapeOf(wider)]
  return inner !== null && outer !== null && contains(outer, inner)
}
