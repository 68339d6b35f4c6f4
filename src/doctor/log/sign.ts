/** What was recognised in a line. */
import type { Side, Symptom } from './symptom.ts'
import { type SymptomName, symptoms } from './symptoms/index.ts'

export interface Sign {
  /** The program or library whose words these are. */
  readonly source: string
  readonly symptom: Symptom
  /** The words themselves, out of the line; never more of it, so that nothing else in it is repeated. */
  readonly quoted: string
  /** Where in the line they begin, in UTF-16 code units. */
  readonly at: number
  /** Whose log this must be, where the words say so. */
  readonly side: Side | null
}

/** Words of a program: what they say, and on which side they are said where that is sure. */
export type Phrase = readonly [
  pattern: RegExp,
  says: SymptomName | ((match: RegExpExecArray) => Symptom | null),
  side?: Side,
]

export interface Source {
  readonly name: string
  readonly phrases: readonly Phrase[]
}

/** Every phrase of a source that stands in the line. Patterns are of one line and linear: no repetition within another. */
export function readPhrases({ name, phrases }: Source, line: string): readonly Sign[] {
  return phrases.flatMap(([pattern, says, side = null]) => {
    const match = pattern.exec(line)
    if (match === null) return []
    const symptom = typeof says === 'string' ? symptoms[says] : says(match)
    return symptom === null ? [] : [{ source: name, symptom, quoted: match[0].trim(), at: match.index, side }]
  })
}

/** A number of a match, in decimal or hexadecimal; NaN for none. */
export function numberIn(match: RegExpExecArray, group = 1): number {
  const text = match[group] ?? ''
  return text.startsWith('-') ? -Number(text.slice(1)) : Number(text)
}
