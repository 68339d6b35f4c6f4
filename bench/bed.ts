/** What every row stands on: a temporary folder, a load process, notes on the conditions. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Closing } from './closing.ts'
import { type LoadProcess, startLoadProcess } from './load/load-process.ts'
import type { BenchOptions } from './options.ts'
import type { Sizes } from './sizes.ts'

export interface Bed {
  readonly closing: Closing
  readonly options: BenchOptions
  readonly sizes: Sizes
  /** A temporary folder, gone after the run. */
  readonly folder: string
  readonly load: LoadProcess
  /** Tells how far the run is. */
  report(text: string): void
  /** Adds to the conditions of the run. */
  note(name: string, text: string): void
}

export function makeBed(closing: Closing, options: BenchOptions, note: Bed['note']): Bed {
  const folder = mkdtempSync(join(tmpdir(), 'hf-bench-'))
  closing.after(() => rmSync(folder, { recursive: true, force: true }))
  if (options.profiles !== null) mkdirSync(options.profiles, { recursive: true })
  return {
    closing,
    options,
    sizes: options.sizes,
    folder,
    load: startLoadProcess(closing),
    report: (text) => void process.stderr.write(`bench: ${text}\n`),
    note,
  }
}
