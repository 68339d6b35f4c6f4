/** What a run leaves: one JSON file, with every raw sample, so that anyone can compute the figures again. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeNewDurably } from '../src/disk/durable-file.ts'
import { sideNames } from './sides.ts'

/** Goes up when a reader of older files would misunderstand newer ones. */
const schema = 'handfast-bench/1'

const round = z.strictObject({
  values: z.array(z.number()).min(1).readonly(),
  perSecond: z.number().nullable(),
})

const series = z.strictObject({ side: z.enum(sideNames), rounds: z.array(round).min(1).readonly() })

const row = z
  .strictObject({
    name: z.string(),
    unit: z.string(),
    rank: z.number().min(0).max(100),
    series: z.array(series).min(1).readonly(),
  })
  .refine(({ series: [first, ...others] }) => others.every(({ rounds }) => rounds.length === first?.rounds.length), {
    error: 'its sides have not as many rounds as each other',
  })

const result = z.strictObject({
  schema: z.literal(schema),
  /** Which rows, and whether in small. */
  what: z.string().regex(/^[a-z0-9+-]+$/),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  /** The short hash of the commit, with a + where the files were not those of the commit. */
  commit: z.string().regex(/^(?:[0-9a-f]{4,40}\+?|unknown)$/),
  /** Names and texts, in the order in which they are printed. */
  conditions: z.record(z.string(), z.string()),
  sizes: z.record(z.string(), z.number()),
  /** How tables call the sides. */
  titles: z.partialRecord(z.enum(sideNames), z.string()),
  rows: z.array(row).readonly(),
})

/** The content of a result file. Its rows are {@link import('./figures.ts').Row}. */
export type Result = z.infer<typeof result>

export function newResult(parts: Omit<Result, 'schema'>): Result {
  return result.parse({ schema, ...parts })
}

/** @throws Error that names the file and what is wrong with it */
export function readResult(path: string): Result {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path} is no result file: ${error instanceof Error ? error.message : String(error)}`)
  }
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'schema') : undefined
  if (found !== schema) throw new Error(`${path} has the schema ${JSON.stringify(found)}; this bench reads "${schema}"`)
  const parsed = result.safeParse(value)
  if (!parsed.success) throw new Error(`${path} is no result file:\n${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** JSON with a line for each round. */
export function resultText(content: Result): string {
  const spread = JSON.stringify(content, null, 2)
  return `${spread.replace(
    /\{\s+"values": \[([^\]]*)\],\s+"perSecond": (\S+)\s+\}/g,
    (_, values: string, rate: string) => {
      return `{ "values": [${values.trim().split(/,\s+/).join(', ')}], "perSecond": ${rate} }`
    },
  )}\n`
}

/**
 * Writes `<date>-<commit>-<what>.json`, with a number behind it where there is such a file, whole or not at all.
 *
 * @returns the path
 */
export function writeResult(folder: string, content: Result): string {
  mkdirSync(folder, { recursive: true })
  const name = [content.startedAt.slice(0, 10), content.commit.replace('+', ''), content.what].join('-')
  for (let count = 1; ; count++) {
    const path = join(folder, count === 1 ? `${name}.json` : `${name}-${count}.json`)
    if (existsSync(path)) continue
    writeNewDurably(path, resultText(content), 0o644)
    return path
  }
}
