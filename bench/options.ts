/** What `node bench/run.ts` was asked for. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

export const rowNames = ['connect', 'messages', 'memory', 'revoke'] as const
export type RowName = (typeof rowNames)[number]

export interface BenchOptions {
  readonly rows: ReadonlySet<RowName>
  readonly sizes: Sizes
  /** Where the measurements go as JSON, or null. */
  readonly json: string | null
  /** Where the hub leaves its CPU profiles, or null for none; profiling costs, so the figures are not to be quoted. */
  readonly profiles: string | null
}

/** How much is measured. */
export interface Sizes {
  /** Measured rounds of each side, after one that is thrown away. */
  readonly rounds: number
  readonly connectsPerRound: number
  /** Messages of a round that go in batches, at QoS 0 and 1. */
  readonly batchedQos0: number
  readonly batchedQos1: number
  /** Messages of a round that go one at a time. */
  readonly single: number
  readonly idleConnections: number
  readonly memoryRounds: number
  readonly liveSessions: number
  readonly revocations: number
  /** Milliseconds after which the run is given up. */
  readonly deadlineMs: number
}

const full: Sizes = {
  rounds: 5,
  connectsPerRound: 2_000,
  batchedQos0: 200_000,
  batchedQos1: 40_000,
  single: 20_000,
  idleConnections: 2_000,
  memoryRounds: 3,
  liveSessions: 1_000,
  revocations: 200,
  deadlineMs: 15 * 60_000,
}

const quick: Sizes = {
  rounds: 3,
  connectsPerRound: 400,
  batchedQos0: 20_000,
  batchedQos1: 10_000,
  single: 5_000,
  idleConnections: 500,
  memoryRounds: 1,
  liveSessions: 200,
  revocations: 40,
  deadlineMs: 4 * 60_000,
}

export const usage = `node bench/run.ts [--quick] [--only ${rowNames.join(',')}] [--json FILE] [--cpu-prof FOLDER]`

/** @throws Error that says what is wrong with the arguments */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      'cpu-prof': { type: 'string' },
    },
  })
  return {
    rows: new Set(values.only === undefined ? rowNames : values.only.split(',').map(parseRowName)),
    sizes: values.quick ? quick : full,
    json: values.json === undefined ? null : resolve(values.json),
    profiles: values['cpu-prof'] === undefined ? null : resolve(values['cpu-prof']),
  }
}

function parseRowName(text: string): RowName {
  const name = rowNames.find((each) => each === text)
  if (name === undefined) throw new Error(`there is no row '${text}': choose from ${rowNames.join(', ')}`)
  return name
}
