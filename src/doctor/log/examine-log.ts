/** The log decoder: a number, a line or a whole log, and what it says of why a device does not get in. */
import { limits } from '../../core/limits.ts'
import type { Examination, Fact, Finding } from '../finding.ts'
import { conclude } from './conclude.ts'
import { decodeLine } from './decode-line.ts'
import { decodeNumber, isNumeral } from './decode-number.ts'
import { recogniseProgram } from './program.ts'
import type { Sign } from './sign.ts'
import type { Side } from './symptom.ts'
import { emptyLog, unknown } from './unknown.ts'

/** How near lines stand that tell one story. */
const nearLines = 6

/**
 * Examines what a program printed. Lines that say the same are told once, and lines that only repeat what one beside them says better are
 * counted with it. Nothing of the text is repeated but the words that were recognised.
 *
 * @param text one number, one line or many
 * @returns at least one examination; one whose only finding is `log-line-unknown` where nothing is known
 */
export function examineLogText(text: string): readonly Examination[] {
  const lines = text.split(/\r\n|\n|\r/).slice(-limits.doctorLogLinesMax)
  const [only = ''] = lines.filter((line) => line.trim() !== '')
  const isOne = lines.filter((line) => line.trim() !== '').length <= 1
  if (isOne && isNumeral(only.trim())) return [decodeNumber(only.trim())]
  if (only === '') return [emptyLog()]
  const told = tellOf(lines)
  if (told.length === 0) return [unknown(isOne ? 'the line' : 'the log', recogniseProgram(lines))]
  const groups = grouped(withoutEchoes(told))
  return groups.slice(0, limits.doctorLogExaminationsMax).map((group) => examinationOf(group, isOne))
}

/** One line in which something was recognised. */
interface Told {
  readonly number: number
  readonly signs: readonly Sign[]
  readonly side: Side | null
  readonly findings: readonly Finding[]
  /** Lines that follow from this one. */
  readonly echoes: number[]
}

function tellOf(lines: readonly string[]): readonly Told[] {
  const decoded = lines.map((line) => decodeLine(plain(line)))
  const sides = new Set(decoded.map(({ side }) => side).filter((side) => side !== null))
  // A log is of one side; where its lines do not agree, each stands for itself.
  const common = sides.size === 1 ? ([...sides][0] ?? null) : null
  return decoded.flatMap(({ signs, side }, index) => {
    if (signs.length === 0) return []
    const findings = conclude(signs, side ?? common, `line ${index + 1}`)
    return findings.length === 0 ? [] : [{ number: index + 1, signs, side: side ?? common, findings, echoes: [] }]
  })
}

/** A line without colours, and no longer than is looked at. */
function plain(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences of terminals begin with one
  return line.slice(0, limits.doctorLogLineLengthMax).replaceAll(/\x1b\[[\d;]{0,20}[A-Za-z]/g, '')
}

/** Takes out vague lines whose causes hold what a better line beside them says, and counts them there. */
function withoutEchoes(told: readonly Told[]): readonly Told[] {
  return told.filter((line, index) => {
    const vagueness = vaguenessOf(line)
    if (vagueness === 0) return true
    const beside = told.slice(Math.max(0, index - nearLines), index + nearLines + 1)
    const better = beside.find(
      (other) =>
        Math.abs(other.number - line.number) <= nearLines &&
        vaguenessOf(other) < vagueness &&
        (vagueness === 2 || sharesCause(other, line)),
    )
    better?.echoes.push(line.number)
    return better === undefined
  })
}

function vaguenessOf({ signs }: Told): number {
  return Math.min(...signs.map(({ symptom }) => symptom.vagueness))
}

function sharesCause(one: Told, other: Told): boolean {
  return one.findings.some(({ code }) => other.findings.some((finding) => finding.code === code))
}

function grouped(told: readonly Told[]): readonly (readonly Told[])[] {
  const groups = new Map<string, Told[]>()
  for (const line of told) {
    const key = line.findings.map(({ code, certainty }) => `${code} ${certainty}`).join()
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [line])
    else group.push(line)
  }
  return [...groups.values()]
}

function examinationOf(group: readonly Told[], isOne: boolean): Examination {
  const [first] = group as readonly [Told, ...Told[]]
  const subject = isOne ? 'the line' : `line ${first.number}`
  const facts: readonly Fact[] = [
    { name: 'program', value: [...new Set(first.signs.map(({ source }) => source))].join(', ') },
    {
      name: 'log of',
      value: first.side === null ? 'a device or a server' : first.side === 'client' ? 'a device' : 'a server',
    },
    ...(group.length > 1 ? [{ name: 'same on', value: lineList(group.slice(1).map(({ number }) => number)) }] : []),
    ...echoFact(group.flatMap(({ echoes }) => echoes)),
  ]
  return { subject, facts, findings: first.findings.map((each) => ({ ...each, subject })) }
}

function echoFact(echoes: readonly number[]): readonly Fact[] {
  return echoes.length === 0 ? [] : [{ name: 'follows from it', value: lineList(echoes) }]
}

/** At most five line numbers, and how many more. */
function lineList(numbers: readonly number[]): string {
  if (numbers.length === 1) return `line ${numbers[0]}`
  const more = numbers.length > 5 ? ` and ${numbers.length - 5} more` : ''
  return `lines ${numbers.slice(0, 5).join(', ')}${more}`
}
