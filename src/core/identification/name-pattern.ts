/**
 * Patterns of names in certificates: a subset of regular expressions that is matched in time linear in the text, whatever the
 * pattern is, since strangers choose the text.
 *
 *     abc \\.  . [a-z0-9-] [^/] \\d \\w     characters
 *     (?<name>…) (?:…) a|b                  groups and alternatives
 *     * + ? {2} {2,} {2,8}                  repetition, greedy
 *
 * A pattern is always held against the whole text. A named group may not stand in a repetition, where it would mean one of
 * several values. Matching follows all ways at once (Thompson 1968, Pike), one step for each character and instruction.
 */
import { limits } from '../limits.ts'
import { type Node, PatternError, parsePattern, type Ranges } from './pattern-parser.ts'

export { PatternError }

export interface NamePattern {
  /** Names of its groups, in their order. */
  readonly groups: readonly string[]
  /** What the groups hold where the whole text matches; one in an alternative not taken holds nothing. Null where it does not. */
  match(text: string): ReadonlyMap<string, string> | null
}

type Instruction =
  | { readonly op: 'character'; readonly ranges: Ranges }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'match' }

/** @throws PatternError with what is wrong with it, as words behind "the pattern" */
export function compileNamePattern(source: string): NamePattern {
  const { root, groups } = parsePattern(source)
  const program: Instruction[] = []
  emit(root, program)
  program.push({ op: 'match' })
  return { groups, match: (text) => matchWhole(program, groups, text) }
}

function emit(node: Node, program: Instruction[]): void {
  if (program.length > limits.namePatternStepsMax) throw new PatternError('is too large: repeat less')
  switch (node.kind) {
    case 'character':
      program.push({ op: 'character', ranges: node.ranges })
      return
    case 'sequence':
      for (const part of node.parts) emit(part, program)
      return
    case 'alternatives':
      emitAlternatives(node.parts, program)
      return
    case 'group':
      program.push({ op: 'save', slot: node.index * 2 })
      emit(node.inner, program)
      program.push({ op: 'save', slot: node.index * 2 + 1 })
      return
    case 'repetition':
      emitRepetition(node, program)
  }
}

function emitAlternatives(parts: readonly Node[], program: Instruction[]): void {
  const ends: { op: 'jump'; to: number }[] = []
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) {
      emit(part, program)
      break
    }
    const split = { op: 'split' as const, first: program.length + 1, second: 0 }
    program.push(split)
    emit(part, program)
    const end = { op: 'jump' as const, to: 0 }
    program.push(end)
    ends.push(end)
    split.second = program.length
  }
  for (const end of ends) end.to = program.length
}

function emitRepetition({ inner, min, max }: Node & { kind: 'repetition' }, program: Instruction[]): void {
  for (let count = 0; count < min; count++) emit(inner, program)
  if (max === null) {
    const split = { op: 'split' as const, first: program.length + 1, second: 0 }
    const start = program.push(split) - 1
    emit(inner, program)
    program.push({ op: 'jump', to: start })
    split.second = program.length
    return
  }
  const splits: { op: 'split'; first: number; second: number }[] = []
  for (let count = min; count < max; count++) {
    const split = { op: 'split' as const, first: program.length + 1, second: 0 }
    program.push(split)
    splits.push(split)
    emit(inner, program)
  }
  for (const split of splits) split.second = program.length
}

/** One way through the program: where it stands, and where the groups began and ended on it, in code units. */
interface Thread {
  readonly at: number
  readonly saved: readonly (number | undefined)[]
}

function matchWhole(
  program: readonly Instruction[],
  groups: readonly string[],
  text: string,
): ReadonlyMap<string, string> | null {
  if (text.length > limits.certificateNameCharsMax) return null
  let threads = reached(program, [{ at: 0, saved: [] }], 0)
  let place = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    const passed: Thread[] = []
    for (const { at, saved } of threads) {
      const instruction = program[at]
      if (instruction?.op === 'character' && isIn(instruction.ranges, code)) passed.push({ at: at + 1, saved })
    }
    place += character.length
    threads = reached(program, passed, place)
    if (threads.length === 0) return null
  }
  const matched = threads.find(({ at }) => program[at]?.op === 'match')
  return matched === undefined ? null : heldBy(groups, matched.saved, text)
}

/** All places that are reached without another character, the preferred ones first, each once. */
function reached(program: readonly Instruction[], from: readonly Thread[], place: number): readonly Thread[] {
  const seen = new Uint8Array(program.length)
  const threads: Thread[] = []
  const waiting: Thread[] = [...from].reverse()
  for (let thread = waiting.pop(); thread !== undefined; thread = waiting.pop()) {
    const { at, saved } = thread
    if (seen[at] === 1) continue
    seen[at] = 1
    const instruction = program[at]
    switch (instruction?.op) {
      case 'split':
        waiting.push({ at: instruction.second, saved }, { at: instruction.first, saved })
        break
      case 'jump':
        waiting.push({ at: instruction.to, saved })
        break
      case 'save': {
        const copy = [...saved]
        copy[instruction.slot] = place
        waiting.push({ at: at + 1, saved: copy })
        break
      }
      default:
        threads.push(thread)
    }
  }
  return threads
}

function heldBy(groups: readonly string[], saved: readonly (number | undefined)[], text: string): Map<string, string> {
  const held = new Map<string, string>()
  for (const [index, name] of groups.entries()) {
    const [start, end] = [saved[index * 2], saved[index * 2 + 1]]
    if (start !== undefined && end !== undefined) held.set(name, text.slice(start, end))
  }
  return held
}

function isIn({ ranges, isNegated }: Ranges, code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to) !== isNegated
}
