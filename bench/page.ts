/** The section of README.md that quotes a run. It is made from a result file, so that it cannot say something else. */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { writeDurably } from '../src/disk/durable-file.ts'
import { readResult } from './result.ts'
import { printResult } from './table.ts'

export const readme: string = join(import.meta.dirname, 'README.md')

const beginning = /<!-- made from (\S+) by `npm run bench -- --page FILE` -->\n/
const end = '<!-- end of what is made -->'

/** Quotes the file in README.md. @returns the path of the page @throws Error where the file is not of the repository */
export function writePage(file: string): string {
  writeDurably(readme, pageFor(readFileSync(readme, 'utf8'), file), 0o644)
  return readme
}

/**
 * The page with its section made again.
 *
 * @param file absolute path of the result, in the folder of the page or below
 */
export function pageFor(page: string, file: string): string {
  const name = relative(dirname(readme), file)
  if (name.startsWith('..'))
    throw new Error(`${file} is not in ${dirname(readme)}: the page quotes what is kept beside it`)
  const { start, stop } = sectionOf(page)
  const heading = `<!-- made from ${name} by \`npm run bench -- --page FILE\` -->\n`
  return `${page.slice(0, start)}${heading}\n${printResult(readResult(file))}\n${page.slice(stop)}`
}

/** The result file that the page quotes, as an absolute path. */
export function quotedFile(page: string): string {
  return join(dirname(readme), sectionOf(page).file)
}

function sectionOf(page: string): { readonly file: string; readonly start: number; readonly stop: number } {
  const match = beginning.exec(page)
  const stop = page.indexOf(end)
  if (match === null || stop < match.index) throw new Error('the page has no section that is made from a result')
  return { file: match[1] ?? '', start: match.index, stop }
}
