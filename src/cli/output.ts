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

/** Names and values in two columns. */
export function printFields(fields: readonly (readonly [string, string])[]): void {
  const width = Math.max(...fields.map(([name]) => name.length))
  for (const [name, value] of fields) printLine(`${name.padEnd(width)}  ${value}`)
}

/** Rows in columns as wide as their longest cell, under a line of headings. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const cells = [headings, ...rows].map((row) => row.map((cell) => printable(cell).replaceAll('\n', ' ')))
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  for (const row of cells) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
    process.stdout.write(`${line.trimEnd()}\n`)
  }
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
