/** What is recognised in one line of a log. */

import { sideOf } from './side.ts'
import { readPhrases, type Sign } from './sign.ts'
import { sources } from './sources/index.ts'
import { mbedtlsNumbers } from './sources/mbedtls.ts'
import { own } from './sources/own.ts'
import type { Side } from './symptom.ts'

export interface DecodedLine {
  /** What says most, in the order of the line; empty where nothing is known. */
  readonly signs: readonly Sign[]
  /** Whose log it is from, where the line tells. */
  readonly side: Side | null
}

/** @param line one line of whatever text; it is never repeated as a whole */
export function decodeLine(line: string): DecodedLine {
  const all = [...sources.flatMap((source) => readPhrases(source, line)), ...mbedtlsNumbers(line)]
  // A line of our own names the failure; what else it says is only told with it.
  const ours = all.filter(({ source }) => source === own.name)
  const widest = ours.length > 0 ? ours : all.filter((sign) => !all.some((other) => isWithin(sign, other)))
  const least = Math.min(...widest.map(({ symptom }) => symptom.vagueness))
  const signs = widest
    .filter(({ symptom }) => symptom.vagueness === least)
    .filter((sign, index, rest) => rest.findIndex(({ symptom }) => symptom === sign.symptom) === index)
    .toSorted((one, other) => one.at - other.at)
  return { signs, side: all.find(({ side }) => side !== null)?.side ?? sideOf(line) }
}

/** True for words that are a part of longer ones: "certificate expired" of "alert certificate expired". */
function isWithin(sign: Sign, other: Sign): boolean {
  return (
    other.quoted.length > sign.quoted.length &&
    other.at <= sign.at &&
    other.at + other.quoted.length >= sign.at + sign.quoted.length
  )
}
