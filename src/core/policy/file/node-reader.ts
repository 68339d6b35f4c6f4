/**
 * Reads the nodes of a YAML document into values and collects what is wrong with them, each with its place. A reader never
 * throws: what cannot be read is told of and left out.
 */
import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml'
import { quote } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import type { Place } from '../model.ts'
import type { Problem } from './problems.ts'

/** A node, which may be absent: `key:` without a value is one. */
export type Given = Node | null | undefined

/** A field of a map. */
export interface Field {
  readonly name: string
  readonly key: Place
  readonly value: Given
}

export class NodeReader {
  readonly problems: Problem[] = []
  readonly #lines: LineCounter

  constructor(lines: LineCounter) {
    this.#lines = lines
  }

  fail(place: Place, message: string): void {
    this.problems.push({ line: place.line, column: place.column, message })
  }

  placeOf(node: Given, otherwise: Place = { line: 1, column: 1 }): Place {
    const offset = node?.range?.[0]
    return offset === undefined ? otherwise : this.placeAt(offset)
  }

  placeAt(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset)
    return { line, column: col }
  }

  /** The fields of a map, in its order; none where it is no map. A name that is not among the known ones is told of. */
  fields(node: Given, what: string, known: readonly string[] | null, at: Place): readonly Field[] {
    if (node === null || node === undefined) return []
    if (!isMap(node)) {
      this.#notA(node, 'a map of names and values', what, at)
      return []
    }
    return node.items.flatMap((pair) => {
      const field = this.#fieldOf(pair as Pair<Node, Node | null>, what, this.placeOf(node, at))
      if (field === null || known === null || known.includes(field.name)) return field ?? []
      const near = nearest(field.name, known)
      const meant = near === null ? `known are ${known.join(', ')}` : `did you mean ${quote(near)}?`
      this.fail(field.key, `${quote(field.name)} is not known in ${what}; ${meant}`)
      return []
    })
  }

  #fieldOf({ key, value }: Pair<Node, Node | null>, what: string, at: Place): Field | null {
    const place = this.placeOf(key, at)
    if (isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number')) {
      return { name: String(key.value), key: place, value }
    }
    this.fail(place, `a name in ${what} is not text`)
    return null
  }

  /** The items of a list; where one stands alone it is a list of one. */
  items(node: Given): readonly Node[] {
    if (node === null || node === undefined) return []
    return isSeq(node) ? (node.items as Node[]) : [node]
  }

  /** Text, also a number or a boolean as it stands; null where it is something else. */
  text(node: Given, what: string, at: Place): string | null {
    if (isScalar(node)) {
      const { value, source } = node
      if (typeof value === 'string') return value
      if (typeof value === 'number' || typeof value === 'boolean') return source ?? String(value)
    }
    this.#notA(node, 'text', what, at)
    return null
  }

  texts(node: Given, what: string, at: Place): readonly { readonly text: string; readonly place: Place }[] {
    return this.items(node).flatMap((item) => {
      const text = this.text(item, what, at)
      return text === null ? [] : { text, place: this.placeOf(item, at) }
    })
  }

  /** One of a closed list of words, or null. */
  word<Word extends string>(node: Given, words: readonly Word[], what: string, at: Place): Word | null {
    const text = this.text(node, what, at)
    if (text === null) return null
    const word = words.find((each) => each === text)
    if (word !== undefined) return word
    this.fail(this.placeOf(node, at), `${quote(text)} is no ${what}; ${meaningOf(text, words)}`)
    return null
  }

  words<Word extends string>(node: Given, words: readonly Word[], what: string, at: Place): readonly Word[] {
    return this.items(node).flatMap((item) => this.word(item, words, what, at) ?? [])
  }

  /** A whole number within bounds, or null. */
  whole(node: Given, [least, most]: readonly [number, number], what: string, at: Place): number | null {
    const value = isScalar(node) ? node.value : null
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
    this.#notA(node, `a whole number from ${least} to ${most}`, what, at)
    return null
  }

  #notA(node: Given, wanted: string, what: string, at: Place): void {
    const place = this.placeOf(node, at)
    if (isAlias(node)) this.fail(place, `${what} is an alias, which is not read here; write it out`)
    else if (isScalar(node) && node.value !== null)
      this.fail(place, `${quote(node.value)} is not ${wanted}, as ${what} is`)
    else this.fail(place, `${what} is missing: ${wanted} is wanted`)
  }
}

function meaningOf(text: string, words: readonly string[]): string {
  const near = nearest(text, words)
  return near === null ? `there are ${words.join(', ')}` : `did you mean ${quote(near)}?`
}
