/** Statements that another one of their role makes useless: an allow that a deny always wins over, or what is said twice. */
import { contains, type TopicFilter } from '../../../mqtt/filter.ts'
import { FilterSet } from '../../filter-set.ts'
import type { Role, Statement } from '../../model.ts'
import type { LintRule } from '../rule.ts'
import { shapeOf } from '../shapes.ts'

export const shadowed: LintRule = {
  name: 'shadowed',
  *check({ roles }) {
    for (const role of roles.values()) {
      const index = new Covering(role)
      for (const [i, statement] of role.statements.entries()) {
        const by = shadowOf(role, i, index)
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
function shadowOf({ statements }: Role, index: number, covering: Covering): number | null {
  const inner = statements[index] as Statement
  // A deny whose variable is not defined denies more than its topics, which no other deny says.
  if (inner.effect === 'deny' && inner.topics.some((topic) => topic.includes('${'))) return null
  for (const i of covering.candidates(index)) {
    const outer = statements[i] as Statement
    if (i === index || (inner.effect === 'deny' && outer.effect === 'allow')) continue
    if (!covering.covers(i, index)) continue
    const isOne = inner.effect !== outer.effect || i < index || Object.keys(inner.when).length > 0
    if (isOne || !covering.covers(index, i)) return i
  }
  return null
}

/** Which statements of a role may cover which, found without comparing each with each. */
class Covering {
  readonly #statements: readonly Statement[]
  readonly #shapes: readonly (readonly (TopicFilter | null)[])[]
  /** Statements without conditions: by a topic as it is written, and by the shape of one. */
  readonly #byTopic = new Map<string, number[]>()
  readonly #byShape = new FilterSet<readonly number[]>()
  readonly #aboutConnect: number[] = []

  constructor({ statements }: Role) {
    this.#statements = statements
    this.#shapes = statements.map(({ topics }) => topics.map(shapeOf))
    for (const [i, { actions, topics, when }] of statements.entries()) {
      if (Object.keys(when).length > 0) continue
      if (actions.includes('connect')) this.#aboutConnect.push(i)
      for (const [k, topic] of topics.entries()) this.#add(i, topic, this.#shapes[i]?.[k] ?? null)
    }
  }

  #add(statement: number, topic: string, shape: TopicFilter | null): void {
    const present = this.#byTopic.get(topic)
    if (present !== undefined) {
      if (present.at(-1) !== statement) present.push(statement)
      return
    }
    const made = [statement]
    this.#byTopic.set(topic, made)
    if (shape !== null) this.#byShape.add(shape, made)
  }

  /** Statements without conditions that say something of the first topic of another one, or of `connect`; in their order. */
  candidates(index: number): Iterable<number> {
    const [first] = this.#statements[index]?.topics ?? []
    if (first === undefined) return this.#aboutConnect
    const [shape] = this.#shapes[index] ?? []
    const wider = shape === null || shape === undefined ? [] : this.#byShape.everyContaining(shape)
    return new Set([...(this.#byTopic.get(first) ?? []), ...wider.flat()].toSorted((a, b) => a - b))
  }

  covers(outerIndex: number, innerIndex: number): boolean {
    const [outer, inner] = [this.#statements[outerIndex] as Statement, this.#statements[innerIndex] as Statement]
    if (!inner.actions.every((action) => outer.actions.includes(action))) return false
    const shapes = this.#shapes[outerIndex] ?? []
    return inner.topics.every((topic, k) => {
      const shape = this.#shapes[innerIndex]?.[k] ?? null
      return outer.topics.some((wider, w) => topic === wider || isWithin(shape, shapes[w] ?? null))
    })
  }
}

function isWithin(inner: TopicFilter | null, outer: TopicFilter | null): boolean {
  return inner !== null && outer !== null && contains(outer, inner)
}
