/** What a run ends with, in Markdown. */
import { differs, figuresOf, type Ratio, type Row, type SideFigures } from './figures.ts'
import type { Result } from './result.ts'
import type { SideName } from './sides.ts'
import type { Spread } from './statistics.ts'

const heads = [
  '',
  'unit',
  'rounds',
  'Handfast',
  'beside it',
  '',
  'Handfast / the other',
  'per second, with the load on the same cores',
]

export function printResult({ startedAt, commit, what, conditions, titles, rows }: Result): string {
  const about = {
    run: `${what}, of commit ${commit}, started ${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    ...conditions,
  }
  const facts = Object.entries(about).map(([name, text]) => `- ${name}: ${text}`)
  return [
    ...facts,
    '',
    ...markdownTable(
      heads,
      rows.flatMap((row) => linesOf(row, titles)),
    ),
    '',
  ].join('\n')
}

/** A line for each peer; what they share stands in the first of them. */
function linesOf(row: Row, titles: Result['titles']): readonly (readonly string[])[] {
  const { rounds, subject, peers } = figuresOf(row)
  const shared = [row.name, row.unit, String(rounds), spreadText(subject.spread)]
  if (peers.length === 0) return [[...shared, '–', '', '', rateText(subject.perSecond)]]
  return peers.map(({ figures, ratio }, place) => [
    ...(place === 0 ? shared : ['', '', '', '']),
    titleOf(figures, titles),
    spreadText(figures.spread),
    ratioText(ratio),
    [subject.perSecond, figures.perSecond].every((rate) => rate === null)
      ? ''
      : `${rateText(subject.perSecond)} / ${rateText(figures.perSecond)}`,
  ])
}

function titleOf({ side }: SideFigures, titles: Readonly<Partial<Record<SideName, string>>>): string {
  return titles[side] ?? side
}

export function markdownTable(titles: readonly string[], lines: readonly (readonly string[])[]): readonly string[] {
  const widths = titles.map((title, column) => {
    return Math.max(title.length, ...lines.map((cells) => cells[column]?.length ?? 0))
  })
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [lineOf(titles), rule, ...lines.map(lineOf)]
}

/** Median, and the least and the greatest of the rounds. */
export function spreadText({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)}–${number(max)})`
}

/** Median and its interval; ≈ in front where the interval does not keep the ratio from being 1. */
function ratioText(ratio: Ratio): string {
  return `${differs(ratio) ? '' : '≈ '}${number(ratio.median)} (${number(ratio.low)}–${number(ratio.high)})`
}

function rateText(rate: number | null): string {
  if (rate === null) return ''
  return rate >= 100 ? rate.toFixed(0) : number(rate)
}

/** Three digits that count. */
export function number(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}
