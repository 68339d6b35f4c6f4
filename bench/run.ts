/** `npm run bench`: measures Handfast beside Mosquitto and prints one table. README.md says how and what it means. */
import { writeFileSync } from 'node:fs'
import { type Bed, makeBed } from './bed.ts'
import { Closing } from './closing.ts'
import { type Conditions, readConditions } from './conditions.ts'
import type { Row } from './measure.ts'
import { type BenchOptions, parseOptions, usage } from './options.ts'
import { connectRow } from './rows/connect.ts'
import { memoryRows } from './rows/memory.ts'
import { messageRows } from './rows/messages.ts'
import { revokeRows } from './rows/revoke.ts'
import { printTable } from './table.ts'

const closing = new Closing()
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions
  try {
    options = parseOptions(args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nusage: ${usage}\n`)
    return 2
  }
  endCleanly()
  const deadline = setTimeout(() => void giveUp(1, 'the run took too long'), options.sizes.deadlineMs)
  try {
    await measure(options)
    return 0
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`)
    return 1
  } finally {
    clearTimeout(deadline)
    await closing.run()
  }
}

async function measure(options: BenchOptions): Promise<void> {
  const conditions: Record<string, string> = { ...readConditions(options.sizes) }
  const bed = await makeBed(closing, options)
  const rows: Row[] = []
  // Revocations come last: they use devices up.
  if (options.rows.has('connect')) {
    rows.push(...(await connectRow(bed, (server, tls) => Object.assign(conditions, { [`TLS, ${server}`]: tls }))))
  }
  if (options.rows.has('messages')) rows.push(...(await messageRows(bed)))
  if (options.rows.has('memory')) rows.push(...(await memoryRows(bed)))
  if (options.rows.has('revoke')) rows.push(...(await revokeRows(bed)))
  publish(options, bed, conditions, rows)
}

function publish(options: BenchOptions, bed: Bed, conditions: Conditions, rows: readonly Row[]): void {
  process.stdout.write(`${printTable(conditions, rows)}\n`)
  if (options.json === null) return
  writeFileSync(options.json, `${JSON.stringify({ conditions, sizes: bed.sizes, rows }, null, 2)}\n`)
}

/** Whatever ends the run, no server of it lives on. */
function endCleanly(): void {
  process.once('uncaughtException', (error) => void giveUp(1, error.stack ?? error.message))
  process.once('SIGINT', () => void giveUp(130, 'interrupted'))
  process.once('SIGTERM', () => void giveUp(143, 'ended'))
}

async function giveUp(status: number, why: string): Promise<void> {
  process.stderr.write(`bench: ${why}\n`)
  await closing.run()
  process.exit(status)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
