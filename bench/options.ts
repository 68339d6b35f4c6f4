/** What `node bench/run.ts` was asked for. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { fullSizes, quickSizes, type Sizes, withRounds } from './sizes.ts'

export const rowNames = [
  'connect',
  'messages',
  'policy',
  'memory',
  'revoke',
  'registry',
  'issue',
  'enrol',
  'ocsp',
  'growth',
] as const
export type RowName = (typeof rowNames)[number]

export type Asked =
  | { readonly act: 'help' }
  | { readonly act: 'measure'; readonly options: BenchOptions }
  /** Print two results beside each other. */
  | { readonly act: 'compare'; readonly files: readonly [string, string] }
  /** Write the section of README.md that quotes a result. */
  | { readonly act: 'page'; readonly file: string }

export interface BenchOptions {
  readonly rows: ReadonlySet<RowName>
  readonly sizes: Sizes
  /** For a first look: less of everything, and of several peers of a kind the nearest one. */
  readonly isQuick: boolean
  /** A name for these rows in this size, as in `full` or `quick-connect+revoke`. */
  readonly what: string
  /** Where the result goes, or null for the folder of results. */
  readonly json: string | null
  /** Where the hub leaves its CPU profiles, or null for none; profiling costs, so the figures are not to be quoted. */
  readonly profiles: string | null
}

export const usage = `npm run bench -- [--quick] [--rounds N] [--only ROW,ROW] [--json FILE] [--cpu-prof FOLDER]
       npm run bench -- --compare A.json B.json
       npm run bench -- --page FILE.json
rows:  ${rowNames.join(', ')}`

const roundsMax = 99

/** @throws Error that says what is wrong with the arguments */
export function parseOptions(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      'cpu-prof': { type: 'string' },
      compare: { type: 'boolean', default: false },
      page: { type: 'string' },
    },
  })
  if (values.help) return { act: 'help' }
  if (values.compare) {
    const [first, second, ...more] = positionals.map((file) => resolve(file))
    if (first === undefined || second === undefined || more.length > 0) {
      throw new Error(`--compare wants two result files, not ${positionals.length}`)
    }
    return { act: 'compare', files: [first, second] }
  }
  if (positionals.length > 0) throw new Error(`'${positionals[0]}' is no option; rows are chosen with --only`)
  if (values.page !== undefined) return { act: 'page', file: resolve(values.page) }

  const rows = new Set(values.only === undefined ? rowNames : values.only.split(',').map(parseRowName))
  const sizes = values.quick ? quickSizes : fullSizes
  return {
    act: 'measure',
    options: {
      rows,
      sizes: values.rounds === undefined ? sizes : withRounds(sizes, parseRounds(values.rounds)),
      isQuick: values.quick,
      what: nameOf(rows, values.quick, values['cpu-prof'] !== undefined),
      json: values.json === undefined ? null : resolve(values.json),
      profiles: values['cpu-prof'] === undefined ? null : resolve(values['cpu-prof']),
    },
  }
}

function nameOf(rows: ReadonlySet<RowName>, isQuick: boolean, isProfiled: boolean): string {
  const chosen = rows.size === rowNames.length ? [] : [rowNames.filter((name) => rows.has(name)).join('+')]
  const name = [...(isProfiled ? ['profiled'] : []), ...(isQuick ? ['quick'] : []), ...chosen].join('-')
  return name === '' ? 'full' : name
}

function parseRounds(text: string): number {
  const rounds = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0
  if (rounds >= 1 && rounds <= roundsMax) return rounds
  throw new Error(`--rounds wants a whole number from 1 to ${roundsMax}, not '${text}'`)
}

function parseRowName(text: string): RowName {
  const name = rowNames.find((each) => each === text)
  if (name === undefined) throw new Error(`there is no row '${text}': choose from ${rowNames.join(', ')}`)
  return name
}
