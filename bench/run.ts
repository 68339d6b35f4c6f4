/** `npm run bench`: measures Handfast beside its peers and prints one table. README.md says how and what it means. */
import { join } from 'node:path'
import { writeDurably } from '../src/disk/durable-file.ts'
import { makeBed } from './bed.ts'
import { Closing } from './closing.ts'
import { comparisonText } from './compare.ts'
import { loadNow, readCommit, readConditions } from './conditions.ts'
import type { Row } from './figures.ts'
import { type BenchOptions, parseOptions, rowNames, usage } from './options.ts'
import { writePage } from './page.ts'
import { cpuMicrosOf, machineTime } from './processes.ts'
import { newResult, type Result, readResult, resultText, writeResult } from './result.ts'
import { rowsOf } from './rows/all.ts'
import { sideTitles } from './sides.ts'
import { printResult } from './table.ts'

const results = join(import.meta.dirname, 'results')
/** Longest time for cleaning up when the run is given up, in milliseconds. */
const cleanUpMs = 15_000

const closing = new Closing()
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const asked = parseOptions(args)
    switch (asked.act) {
      case 'help':
        print(`usage: ${usage}`)
        return 0
      case 'compare': {
        const [a, b] = asked.files
        print(comparisonText({ name: a, result: readResult(a) }, { name: b, result: readResult(b) }))
        return 0
      }
      case 'page':
        print(`wrote the last run into ${writePage(asked.file)}`)
        return 0
      case 'measure':
        return await run(asked.options)
    }
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\nusage: ${usage}\n`)
    return 2
  }
}

async function run(options: BenchOptions): Promise<number> {
  endCleanly()
  const deadline = setTimeout(() => void giveUp(1, 'the run took too long'), options.sizes.deadlineMs)
  try {
    const result = await measure(options)
    print(printResult(result))
    const path = options.json ?? writeResult(results, result)
    if (options.json !== null) writeDurably(path, resultText(result), 0o644)
    process.stderr.write(`bench: the result is in ${path}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`)
    return 1
  } finally {
    clearTimeout(deadline)
    await closing.run()
  }
}

async function measure(options: BenchOptions): Promise<Result> {
  const startedAt = new Date().toISOString()
  const commit = readCommit()
  const conditions: Record<string, string> = { ...readConditions(options.sizes) }
  const bed = makeBed(closing, options, (name, text) => Object.assign(conditions, { [name]: text }))
  const rows: Row[] = []
  const others: string[] = []
  for (const name of rowNames.filter((each) => options.rows.has(each))) {
    const before = usedSoFar()
    rows.push(...(await rowsOf[name](bed)))
    others.push(`${name} ${othersShare(before, usedSoFar())}`)
  }
  conditions['load at the end'] = loadNow()
  conditions['other processes'] = `took of all cores, the load of this run aside: ${others.join(', ')}`
  const sides = new Set(rows.flatMap(({ series }) => series.map(({ side }) => side)))
  return newResult({
    what: options.what,
    startedAt,
    commit,
    conditions,
    sizes: { ...options.sizes },
    titles: Object.fromEntries([...sides].map((side) => [side, sideTitles[side]])),
    rows,
  })
}

interface Used {
  readonly total: number
  readonly busy: number
  readonly own: number
}

function usedSoFar(): Used {
  return { ...machineTime(), own: cpuMicrosOf([process.pid]) }
}

/** What others took of the time of all cores. */
function othersShare(before: Used, after: Used): string {
  const others = after.busy - before.busy - (after.own - before.own)
  return `${Math.max(0, (100 * others) / (after.total - before.total)).toFixed(0)} %`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Whatever ends the run, no server of it lives on. */
function endCleanly(): void {
  process.once('uncaughtException', (error) => void giveUp(1, error.stack ?? error.message))
  process.once('SIGINT', () => void giveUp(130, 'interrupted'))
  process.once('SIGTERM', () => void giveUp(143, 'ended'))
  process.once('SIGHUP', () => void giveUp(129, 'the terminal is gone'))
}

async function giveUp(status: number, why: string): Promise<void> {
  process.stderr.write(`bench: ${why}\n`)
  setTimeout(() => process.exit(status), cleanUpMs)
  await closing.run()
  process.exit(status)
}
