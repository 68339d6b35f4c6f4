/** Reading a pattern of names into what it is made of. */
import { quote } from '../errors.ts'
import { limits } from '../limits.ts'

/** Why a text is no pattern, as words behind "the pattern". */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/** Code points, both ends included. */
export interface Ranges {
  readonly ranges: readonly (readonly [number, number])[]
  readonly isNegated: boolean
}

export type Node =
  | { readonly kind: 'character'; readonly ranges: Ranges }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'alternatives'; readonly parts: readonly Node[] }
  | { readonly kind: 'group'; readonly index: number; readonly inner: Node }
  | { readonly kind: 'repetition'; readonly inner: Node; readonly min: number; readonly max: number | null }

/** @throws PatternError */
export function parsePattern(source: string): { readonly root: Node; readonly groups: readonly string[] } {
  if (source.length > limits.namePatternCharsMax) {
    throw new PatternError(`is longer than ${limits.namePatternCharsMax} characters`)
  }
  return new Parser(source).whole()
}

const digits: readonly (readonly [number, number])[] = [[0x30, 0x39]]
const wordCharacters: typeof digits = [...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]

class Parser {
  readonly #characters: readonly string[]
  readonly #groups: string[] = []
  #at = 0
  #depth = 0

  constructor(source: string) {
    this.#characters = [...source]
  }

  whole(): { readonly root: Node; readonly groups: readonly string[] } {
    // It is held against the whole text anyway; who writes the anchors says nothing wrong.
    if (this.#next() === '^') this.#at += 1
    const root = this.#alternatives()
    if (this.#next() === '$' && this.#at === this.#characters.length - 1) this.#at += 1
    if (this.#next() !== undefined) throw new PatternError(`has ${quote(this.#next() ?? '')} where it means nothing`)
    return { root, groups: this.#groups }
  }

  #alternatives(): Node {
    if (++this.#depth > limits.namePatternDepthMax) throw new PatternError('has groups in groups in too many layers')
    const parts = [this.#sequence()]
    while (this.#next() === '|') {
      this.#at += 1
      parts.push(this.#sequence())
    }
    this.#depth -= 1
    const [only] = parts
    return only !== undefined && parts.length === 1 ? only : { kind: 'alternatives', parts }
  }

  #sequence(): Node {
    const parts: Node[] = []
    for (let next = this.#next(); next !== undefined && next !== '|' && next !== ')'; next = this.#next()) {
      if (next === '$' && this.#at === this.#characters.length - 1) break
      const groupsBefore = this.#groups.length
      const atom = this.#atom()
      const times = this.#times()
      if (times !== null && this.#groups.length > groupsBefore) {
        throw new PatternError('repeats a named group, which would mean one of several values')
      }
      parts.push(times === null ? atom : { kind: 'repetition', inner: atom, ...times })
    }
    return { kind: 'sequence', parts }
  }

  #atom(): Node {
    const character = this.#take()
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'character', ranges: this.#class() }
      case '.':
        return { kind: 'character', ranges: { ranges: [], isNegated: true } }
      case '\\':
        return { kind: 'character', ranges: { ranges: this.#escaped(), isNegated: false } }
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternError(`repeats nothing with ${quote(character)}`)
      case '^':
      case '$':
      case ']':
      case '}':
        throw new PatternError(
          `has ${quote(character)} where it means nothing; write ${quote(`\\${character}`)} for itself`,
        )
      default:
        return { kind: 'character', ranges: { ranges: [single(character)], isNegated: false } }
    }
  }

  #group(): Node {
    if (this.#take() !== '?') throw new PatternError('has a group without a name; write (?<name>…) or (?:…)')
    const kind = this.#take()
    const name = kind === '<' ? this.#groupName() : null
    if (name === null && kind !== ':') throw new PatternError(`has a group of a kind that there is not: (?${kind}`)
    const index = name === null ? null : this.#groups.push(name) - 1
    const inner = this.#alternatives()
    if (this.#next() !== ')') throw new PatternError('has a group that does not end')
    this.#at += 1
    return index === null ? inner : { kind: 'group', index, inner }
  }

  #groupName(): string {
    let name = ''
    for (let next = this.#take(); next !== '>'; next = this.#take()) name += next
    if (!/^[a-z][A-Za-z0-9]{0,31}$/.test(name)) {
      throw new PatternError(`has a group named ${quote(name)}; names are letters and digits, the first in lower case`)
    }
    if (this.#groups.includes(name)) throw new PatternError(`has two groups named ${quote(name)}`)
    return name
  }

  #class(): Ranges {
    const isNegated = this.#next() === '^'
    if (isNegated) this.#at += 1
    const ranges: (readonly [number, number])[] = []
    for (let next = this.#take(); next !== ']'; next = this.#take()) {
      const from = next === '\\' ? this.#escaped() : [single(next)]
      const [first] = from
      const isRange = this.#next() === '-' && this.#characters[this.#at + 1] !== ']'
      if (!isRange || first === undefined) {
        ranges.push(...from)
        continue
      }
      this.#at += 1
      const last = this.#take()
      const to = last === '\\' ? this.#escaped() : [single(last)]
      const [end] = to
      if (from.length > 1 || first[0] !== first[1] || to.length > 1 || end === undefined || end[0] !== end[1]) {
        throw new PatternError('has a range whose end is not one character')
      }
      if (end[0] < first[0]) throw new PatternError(`has the range ${quote(`${next}-${last}`)}, which is backwards`)
      ranges.push([first[0], end[0]])
    }
    if (ranges.length === 0) throw new PatternError('has an empty class []')
    return { ranges, isNegated }
  }

  #escaped(): readonly (readonly [number, number])[] {
    const character = this.#take()
    if (character === 'd') return digits
    if (character === 'w') return wordCharacters
    if (/^[!-/:-@[-`{-~]$/.test(character)) return [single(character)]
    throw new PatternError(`has the escape ${quote(`\\${character}`)}, which there is not`)
  }

  #times(): { readonly min: number; readonly max: number | null } | null {
    const times = this.#timesHere()
    if (times !== null && ['*', '+', '?', '{'].includes(this.#next() ?? '')) {
      throw new PatternError('repeats a repetition; put it into (?:…), and there is no lazy one')
    }
    return times
  }

  #timesHere(): { readonly min: number; readonly max: number | null } | null {
    switch (this.#next()) {
      case '*':
        this.#at += 1
        return { min: 0, max: null }
      case '+':
        this.#at += 1
        return { min: 1, max: null }
      case '?':
        this.#at += 1
        return { min: 0, max: 1 }
      case '{': {
        const rest = this.#characters.slice(this.#at, this.#at + 12).join('')
        const found = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(rest)
        if (found === null) throw new PatternError('has a "{" that is no repetition; write {2}, {2,} or {2,8}')
        this.#at += found[0].length
        const min = Number(found[1])
        const max = found[2] === undefined ? min : found[3] === undefined ? null : Number(found[3])
        if (max !== null && max < min) throw new PatternError(`has the repetition ${found[0]}, which is backwards`)
        return { min, max }
      }
      default:
        return null
    }
  }

  #next(): string | undefined {
    return this.#characters[this.#at]
  }

  #take(): string {
    const character = this.#characters[this.#at]
    if (character === undefined) throw new PatternError('ends too early')
    this.#at += 1
    return character
  }
}

function single(character: string): readonly [number, number] {
  const code = character.codePointAt(0) ?? 0
  return [code, code]
}
