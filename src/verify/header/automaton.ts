/**
 * Patterns of names as tables for C: a deterministic automaton over ASCII, which a device walks in one step for each character, without
 * memory of its own. Whatever is beyond ASCII can be in no id, and matches nothing.
 */
import type { Node, Ranges } from '../../core/identification/pattern-parser.ts'

export interface Automaton {
  /** The class of each of the 128 characters; 0 for those that no state goes on with. */
  readonly classes: readonly number[]
  readonly classCount: number
  /** Of each state, where each class leads to; state 0 leads nowhere, 1 is the start. */
  readonly next: readonly (readonly number[])[]
  readonly accepting: readonly boolean[]
}

/** Why there is none, as words behind "the pattern". */
export type NoAutomaton = { readonly words: string }

/** States that a byte numbers. */
export const statesMax = 255

interface State {
  readonly silent: number[]
  readonly on: { readonly ranges: Ranges; readonly to: number }[]
}

export function automatonOf(node: Node): Automaton | NoAutomaton {
  const states: State[] = []
  const added = (): number => states.push({ silent: [], on: [] }) - 1
  const silent = (from: number, to: number): void => void states[from]?.silent.push(to)
  let tooLarge = false

  /** @returns where it ends */
  function build(part: Node, from: number): number {
    if (states.length > nondeterministicMax) {
      tooLarge = true
      return from
    }
    switch (part.kind) {
      case 'character': {
        const to = added()
        states[from]?.on.push({ ranges: part.ranges, to })
        return to
      }
      case 'sequence':
        return part.parts.reduce((at, each) => build(each, at), from)
      case 'group':
        return build(part.inner, from)
      case 'alternatives': {
        const end = added()
        for (const each of part.parts) {
          const start = added()
          silent(from, start)
          silent(build(each, start), end)
        }
        return end
      }
      case 'repetition':
        return repeated(part, from)
    }
  }

  function repeated({ inner, min, max }: Node & { readonly kind: 'repetition' }, from: number): number {
    let at = from
    for (let count = 0; count < min; count++) at = build(inner, at)
    const end = added()
    if (max === null) {
      const loop = added()
      silent(at, loop)
      silent(build(inner, loop), loop)
      silent(loop, end)
      return end
    }
    silent(at, end)
    for (let count = min; count < max; count++) {
      const start = added()
      silent(at, start)
      at = build(inner, start)
      silent(at, end)
    }
    return end
  }

  const start = added()
  const end = build(node, start)
  if (tooLarge) return { words: 'is too large for a table' }
  return determined(states, start, end)
}

const nondeterministicMax = 4_096

function determined(states: readonly State[], start: number, end: number): Automaton | NoAutomaton {
  const closed = (from: Iterable<number>): readonly number[] => {
    const found = new Set(from)
    for (const each of found) for (const next of states[each]?.silent ?? []) found.add(next)
    return [...found].sort((a, b) => a - b)
  }
  const { classes, samples } = classesOf(states)
  const sets: (readonly number[])[] = [[], closed([start])]
  const numbers = new Map(sets.map((set, number) => [set.join(), number]))
  const next: number[][] = [samples.map(() => 0)]
  for (let at = 1; at < sets.length; at++) {
    next[at] = samples.map((sample) => {
      if (sample === null) return 0
      const reached = closed(
        (sets[at] ?? []).flatMap((state) =>
          (states[state]?.on ?? []).filter(({ ranges }) => isIn(ranges, sample)).map(({ to }) => to),
        ),
      )
      const known = numbers.get(reached.join())
      if (known !== undefined) return known
      numbers.set(reached.join(), sets.length)
      return sets.push(reached) - 1
    })
    if (sets.length > statesMax) return { words: `needs more than ${statesMax} states: repeat less` }
  }
  return { classes, classCount: samples.length, next, accepting: sets.map((set) => set.includes(end)) }
}

/** Characters that no place of the pattern tells apart have one class. A sample of each; the first class has none. */
function classesOf(states: readonly State[]): {
  readonly classes: readonly number[]
  readonly samples: readonly (number | null)[]
} {
  const places = states.flatMap(({ on }) => on.map(({ ranges }) => ranges))
  const distinct = [...new Map(places.map((ranges) => [JSON.stringify(ranges), ranges])).values()]
  const numbers = new Map<string, number>([[distinct.map(() => '0').join(''), 0]])
  const samples: (number | null)[] = [null]
  const classes = Array.from({ length: 128 }, (_, code) => {
    const mark = distinct.map((ranges) => (isIn(ranges, code) ? '1' : '0')).join('')
    const known = numbers.get(mark)
    if (known !== undefined) return known
    numbers.set(mark, samples.length)
    return samples.push(code) - 1
  })
  return { classes, samples }
}

function isIn({ ranges, isNegated }: Ranges, code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to) !== isNegated
}

/** Walks the tables as the code in C does. */
export function accepts({ classes, next, accepting }: Automaton, text: string): boolean {
  let state = 1
  for (const character of Buffer.from(text)) {
    state = next[state]?.[classes[character] ?? 0] ?? 0
    if (state === 0) return false
  }
  return accepting[state] === true
}
