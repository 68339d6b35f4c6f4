/** `handfast device import`: many devices from a file. */
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { type ImportRowView, importResults } from '../../../api-schema/bulk.ts'
import { tokenLifetimeBounds } from '../../../api-schema/requests.ts'
import type { HubView } from '../../../api-schema/views.ts'
import { HubError, quote } from '../../../core/errors.ts'
import { addHubOptions, type HubOptions, hubOf } from '../../hub-options.ts'
import { type ImportFormat, importFormats, readInput } from '../../import/import-input.ts'
import type { ImportOptions } from '../../import/import-request.ts'
import { ProgressBar } from '../../import/progress-bar.ts'
import { openResultsFile, type ResultsFile } from '../../import/results-file.ts'
import { runImport } from '../../import/run-import.ts'
import { note, printJsonLine, printLine, printTable } from '../../output.ts'
import { oneOf } from '../../values.ts'
import { parseTtl, ttlHelp } from './register.ts'

interface ImportCommandOptions extends HubOptions {
  readonly format?: ImportFormat
  readonly dryRun?: boolean
  readonly tokens?: boolean
  readonly tokenTtl?: number
  readonly out?: string
}

/** Rows that were not taken and are shown; the results file has all. */
const shownMax = 20

export function defineImport(command: Command): void {
  addHubOptions(command)
    .argument(
      '<file>',
      'CSV with a header such as id,group,attr.site, or a JSON object in each line; "-" for standard input',
    )
    .option(
      '--format <format>',
      `${importFormats.join(' or ')}; told by the file if not given`,
      oneOf('--format', importFormats),
    )
    .option('--dry-run', 'change nothing and say what would happen')
    .option('--tokens', 'make a bootstrap string for each device that is created; wants --out or --json')
    .option('--token-ttl <duration>', ttlHelp, parseTtl)
    .option('--out <file>', 'keep the result of each row there, readable by you alone')
    .addHelpText(
      'after',
      '\nRun again with the same file and the same --out, an import that was cut off goes on\nwhere it stopped. A row that is refused stops no other.',
    )
    .action(importDevices)
}

async function importDevices(path: string, options: ImportCommandOptions): Promise<void> {
  const wanted = optionsOf(options)
  const input = await readInput(path, options.format ?? null)
  const hub = hubOf(options)
  const results = options.out === undefined ? null : await resultsAt(options.out, hub, input, wanted)
  if (results?.isComplete) note(`${results.path} is complete already; nothing is asked of the hub.`)
  else if ((results?.rows.length ?? 0) > 0) note(`Going on after row ${results?.rows.length.toLocaleString('en')}.`)
  const bar = new ProgressBar(input.rows)
  const refused: ImportRowView[] = []
  let done = 0
  let refusals = 0
  try {
    const summary = await runImport({
      ...{ hub, input, results, options: wanted },
      onRows(rows) {
        const bad = rows.filter(({ result }) => result === 'conflict' || result === 'invalid')
        done += rows.length
        refusals += bad.length
        refused.push(...bad.slice(0, shownMax - refused.length))
        if (options.json && results === null) for (const row of rows) printJsonLine(row)
        bar.show(done, refusals === 0 ? '' : `, ${refusals.toLocaleString('en')} not taken`)
      },
    })
    bar.end()
    if (options.json) printJsonLine({ summary })
    else printSummary(summary, refused, results)
    assertAllTaken(summary, results)
  } finally {
    bar.end()
    results?.close()
  }
}

/** @throws HubError `usage` */
function optionsOf({ dryRun = false, tokens = false, tokenTtl, out, json }: ImportCommandOptions): ImportOptions {
  if (tokenTtl !== undefined && !tokens) {
    throw new HubError('usage', '--token-ttl is given, and no tokens are asked for', { hint: 'add --tokens' })
  }
  if (tokens && !dryRun && out === undefined && !json) {
    throw new HubError('usage', '--tokens makes secrets, and nothing says where they go', {
      hint: 'give --out <file>, which only you can read, or --json for standard output',
    })
  }
  return { dryRun, tokenLifetimeSec: tokens ? (tokenTtl ?? tokenLifetimeBounds.default) : null }
}

async function resultsAt(
  path: string,
  hub: ReturnType<typeof hubOf>,
  { sha256, format }: Awaited<ReturnType<typeof readInput>>,
  options: ImportOptions,
): Promise<ResultsFile> {
  const { rootFingerprint } = await hub.get<HubView>('/hub')
  const results = openResultsFile(path, { sha256, format, ...options, hub: rootFingerprint }, `import-${randomUUID()}`)
  if (options.dryRun && results.rows.length > 0) {
    results.close()
    throw new HubError('results-file-unusable', `the file ${quote(path)} holds the results of an earlier dry run`, {
      hint: 'remove it, or name another file with --out',
    })
  }
  return results
}

type Summary = Awaited<ReturnType<typeof runImport>>

function printSummary(summary: Summary, refused: readonly ImportRowView[], results: ResultsFile | null): void {
  if (refused.length > 0) {
    const rows = refused.map(({ row, id, result, detail }) => [String(row), id ?? '-', result, detail ?? ''])
    printTable(['ROW', 'ID', 'RESULT', 'WHY'], rows)
    const more = summary.conflict + summary.invalid - refused.length
    if (more > 0) printLine(`and ${more.toLocaleString('en')} more`)
    printLine()
  }
  const counts = importResults.filter((result) => summary[result] > 0)
  const said = counts.map((result) => `${summary[result].toLocaleString('en')} ${result}`)
  const would = summary.dryRun ? ' (dry run: nothing was changed)' : ''
  printLine(
    `${summary.rows.toLocaleString('en')} rows: ${said.length === 0 ? 'nothing to do' : said.join(', ')}${would}`,
  )
  if (results !== null) note(`The result of each row is in ${results.path}.`)
}

/** @throws HubError `import-rows-refused` */
function assertAllTaken({ rows, conflict, invalid }: Summary, results: ResultsFile | null): void {
  if (conflict + invalid === 0) return
  const which = [
    ...(conflict === 0 ? [] : [`${conflict.toLocaleString('en')} conflict`]),
    ...(invalid === 0 ? [] : [`${invalid.toLocaleString('en')} invalid`]),
  ].join(', ')
  const count = (conflict + invalid).toLocaleString('en')
  throw new HubError('import-rows-refused', `${count} of ${rows.toLocaleString('en')} rows were not taken: ${which}`, {
    hint: `correct them and import them again; what is registered stays${results === null ? '' : `, and ${results.path} says why`}`,
  })
}
