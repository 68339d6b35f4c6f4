/** What commands print. Results go to standard output; notes for people to standard error, and only on a terminal. */
import { printable } from './printable.ts'

export function printLine(text = ''): void {
  process.stdout.write(`${printable(text)}\n`)
}

/** A value as JSON, indented, ended by a line feed. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** A value as one line of JSON, for output that goes on. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/**
 * Names and values in two columns.
 *
 * @param columnsMax values go on in a new line where they would pass it; words are not cut
 */
export function printFields(
  fields: readonly (readonly [string, string])[],
  columnsMax: number = Number.POSITIVE_INFINITY,
): void {
  const width = Math.max(...fields.map(([name]) => name.length)) + 2
  for (const [name, value] of fields) {
    for (const [index, line] of folded(value, columnsMax - width).entries()) {
      printLine(`${(index === 0 ? name : '').padEnd(width)}${line}`)
    }
  }
}

function folded(text: string, columnsMax: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columnsMax) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** Rows in columns as wide as their longest cell, under a line of headings. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = columnsOf([headings, ...rows])
  for (const row of [headings, ...rows]) printRow(row, widths)
}

/** Widths of the columns that rows need, and no column narrower than before. */
export function columnsOf(rows: readonly (readonly string[])[], before: readonly number[] = []): readonly number[] {
  const widths = [...before]
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, oneLine(cell).length)
    }
  }
  return widths
}

export function printRow(cells: readonly string[], widths: readonly number[]): void {
  const line = cells.map((cell, column) => oneLine(cell).padEnd(widths[column] ?? 0)).join('  ')
  process.stdout.write(`${line.trimEnd()}\n`)
}

function oneLine(cell: string): string {
  return printable(cell).replaceAll('\n', ' ')
}

/** A note for the person at the terminal; programs that read our output do not see it. */
export function note(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${printable(text)}\n`)
}

/** What is odd and no failure: always said. */
export function warn(text: string): void {
  process.stderr.write(`warning: ${printable(text)}\n`)
}

/** An ISO time to the second, as people read it. */
export function shortTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\.[0-9]+Z$/, 'Z')
}

/** A word that a POSIX shell takes as it is; quoted only where it must be. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
