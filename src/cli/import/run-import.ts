/** An import from beginning to end: asked for, kept, asked for again where the connection was lost. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type ImportLine, type ImportRowView, type ImportSummaryView, importResults } from '../../api-schema/bulk.ts'
import { HubError } from '../../core/errors.ts'
import { isFailureName } from '../../core/failure/catalogue.ts'
import type { HubApi } from '../api-client.ts'
import type { ImportInput } from './import-input.ts'
import { AnswerCut, type ImportOptions, importLines } from './import-request.ts'
import type { ResultsFile } from './results-file.ts'

/** Milliseconds before an import whose connection was lost is asked for again: a hub that was restarted is back by then. */
const againAfterMsDefault = 2_000

export interface ImportRun {
  readonly hub: HubApi
  readonly input: ImportInput
  readonly options: ImportOptions
  /** Null where results are only told. */
  readonly results: ResultsFile | null
  /** Hears of every row once, in order, also of those that the results file held before. */
  onRows(rows: readonly ImportRowView[]): void
  /** Pause before the connection that was lost is made again. */
  readonly againAfterMs?: number
}

/** @throws HubError of the hub's own code when it refuses the whole; `import-interrupted` */
export async function runImport(run: ImportRun): Promise<ImportSummaryView['summary']> {
  const tally = new Tally(run)
  tally.replay(run.results?.rows ?? [])
  if (run.results?.isComplete === true) return tally.summary()
  const key = run.options.dryRun ? null : (run.results?.key ?? `import-${randomUUID()}`)
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const lines of importLines(run.hub, run.input, run.options, key)) tally.take(lines)
      if (tally.isComplete) return tally.finish()
      throw new AnswerCut('the answer ended before its last line')
    } catch (error) {
      if (!(error instanceof AnswerCut)) throw error
      if (attempt === 2) throw interrupted(tally.rows, run, error)
    }
    await pause(run.againAfterMs ?? againAfterMsDefault)
  }
}

function interrupted(rows: number, { results }: ImportRun, cause: unknown): HubError {
  return new HubError(
    'import-interrupted',
    `the connection was lost twice; ${rows.toLocaleString('en')} rows are answered`,
    {
      hint:
        results === null
          ? 'run the same command again; devices that are registered already stay as they are'
          : 'run the same command again; it goes on where it stopped',
      cause,
    },
  )
}

/** Counts rows, and passes on those that are new. */
class Tally {
  readonly #run: ImportRun
  readonly #counts = { created: 0, unchanged: 0, conflict: 0, invalid: 0 }
  rows = 0
  isComplete = false

  constructor(run: ImportRun) {
    this.#run = run
  }

  /** Rows that are kept already. */
  replay(rows: readonly ImportRowView[]): void {
    for (const { result } of rows) this.#counts[result] += 1
    this.rows += rows.length
    this.#run.onRows(rows)
  }

  take(lines: readonly ImportLine[]): void {
    // An answer that is given again begins with what was heard before.
    const rows = lines.filter((line) => 'row' in line).filter(({ row }) => row > this.rows)
    if (rows.some(({ result }) => !importResults.includes(result))) throw newerHub()
    this.#run.results?.append(rows)
    this.replay(rows)
    for (const line of lines) {
      if ('problem' in line) throw this.#stopped(line.problem)
      if ('summary' in line) this.isComplete = true
    }
  }

  finish(): ImportSummaryView['summary'] {
    const summary = this.summary()
    this.#run.results?.complete({ summary })
    return summary
  }

  summary(): ImportSummaryView['summary'] {
    return { rows: this.rows, ...this.#counts, dryRun: this.#run.options.dryRun }
  }

  #stopped({
    code,
    detail,
    hint,
  }: {
    readonly code: string
    readonly detail: string
    readonly hint: string
  }): HubError {
    const message = `the hub stopped after row ${this.rows.toLocaleString('en')}: ${detail}`
    const again =
      this.#run.results === null ? hint : `${hint}; then run the same command again, it goes on where it stopped`
    return new HubError(isFailureName(code) ? code : 'import-interrupted', message, { hint: again })
  }
}

function newerHub(): HubError {
  return new HubError('hub-answer-unexpected', 'the hub answers what this version of Handfast does not know')
}
