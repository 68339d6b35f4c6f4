/** The table that a run ends with, in Markdown. */
import type { Conditions } from './conditions.ts'
import type { Row } from './measure.ts'
import type { Spread } from './statistics.ts'

const heads = [
  '',
  'unit',
  'Handfast',
  'Mosquitto',
  'Handfast / Mosquitto',
  'per second, with the load on the same cores',
]

export function printTable(conditions: Conditions, rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.name,
    row.unit,
    spreadText(row.handfast),
    row.mosquitto === null ? '–' : spreadText(row.mosquitto),
    row.ratio === null ? '–' : spreadText(row.ratio),
    row.perSecond === null
      ? ''
      : [row.perSecond.handfast, row.perSecond.mosquitto]
          .filter((rate) => rate !== null)
          .map((rate) => rate.toFixed(0))
          .join(' / '),
  ])
  const widths = heads.map((head, column) => Math.max(head.length, ...lines.map((cells) => cells[column]?.length ?? 0)))
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  const facts = Object.entries(conditions).map(([name, text]) => `- ${name}: ${text}`)
  return [...facts, '', lineOf(heads), rule, ...lines.map(lineOf), ''].join('\n')
}

/** Median, and the least and the greatest of the rounds. */
function spreadText({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)}–${number(max)})`
}

/** Three digits that count. */
function number(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0)
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2)
}
