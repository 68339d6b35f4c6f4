/** Two runs side by side: what each side of each row cost then and now, and whether Handfast has moved beside its peers. */
import { figuresOf, type Ratio, type Row, type SideFigures } from './figures.ts'
import type { Result } from './result.ts'
import type { SideName } from './sides.ts'
import { markdownTable, number, spreadText } from './table.ts'

export interface NamedResult {
  readonly name: string
  readonly result: Result
}

const heads = ['', 'unit', 'side', 'A', 'B', 'B / A']

export function comparisonText(a: NamedResult, b: NamedResult): string {
  const ofB = new Map(b.result.rows.map((row) => [row.name, row]))
  const lines = a.result.rows.flatMap((row) => {
    const other = ofB.get(row.name)
    return other === undefined ? [] : linesOf(row, other, { ...a.result.titles, ...b.result.titles })
  })
  const alone = [...aloneIn('A', a.result, b.result), ...aloneIn('B', b.result, a.result)]
  return [
    ...[a, b].map(({ name, result }, place) => `- ${'AB'[place]}: ${name}, ${result.what}, commit ${result.commit}`),
    ...differencesOf(a.result, b.result),
    ...alone,
    '',
    ...(lines.length === 0 ? ['The two runs have no row in common.'] : markdownTable(heads, lines)),
    '',
    'A ratio with ≈ in front is not told from 1: the rounds of the two runs overlap.',
    '',
  ].join('\n')
}

function linesOf(a: Row, b: Row, titles: Result['titles']): readonly (readonly string[])[] {
  const [before, after] = [figuresOf(a), figuresOf(b)]
  const find = (side: SideName) => ({ side: (each: { readonly figures: SideFigures }) => each.figures.side === side })
  const cells = [
    [a.name, a.unit, titles[before.subject.side] ?? before.subject.side, ...pair(before.subject, after.subject)],
  ]
  for (const { figures, ratio } of before.peers) {
    const other = after.peers.find(find(figures.side).side)
    if (other === undefined) continue
    const title = titles[figures.side] ?? figures.side
    cells.push(['', '', title, ...pair(figures, other.figures)])
    cells.push(['', '', `Handfast / ${title}`, ...pairOfRatios(ratio, other.ratio)])
  }
  return cells
}

function pair({ spread: a }: SideFigures, { spread: b }: SideFigures): readonly string[] {
  const overlap = a.min <= b.max && b.min <= a.max
  return [spreadText(a), spreadText(b), quotient(b.median, a.median, overlap)]
}

function pairOfRatios(a: Ratio, b: Ratio): readonly string[] {
  const text = ({ median, low, high }: Ratio): string => spreadText({ median, min: low, max: high })
  return [text(a), text(b), quotient(b.median, a.median, a.low <= b.high && b.low <= a.high)]
}

function quotient(b: number, a: number, overlap: boolean): string {
  return `${overlap ? '≈ ' : ''}${number(b / a)}`
}

/** Conditions and sizes that are not the same. */
function differencesOf(a: Result, b: Result): readonly string[] {
  const lines: string[] = []
  const compare = (before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): void => {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [then, now] = [before[name] ?? 'not there', after[name] ?? 'not there']
      if (then !== now) lines.push(`- ${name}: ${then} → ${now}`)
    }
  }
  compare(a.conditions, b.conditions)
  compare(a.sizes, b.sizes)
  return lines
}

function aloneIn(letter: string, one: Result, other: Result): readonly string[] {
  const known = new Set(other.rows.map(({ name }) => name))
  const names = one.rows.map(({ name }) => name).filter((name) => !known.has(name))
  return names.length === 0 ? [] : [`- only in ${letter}: ${names.join('; ')}`]
}
