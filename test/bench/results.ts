/** Small results to judge the bench by. */
import type { Round, Row } from '../../bench/figures.ts'
import { newResult, type Result } from '../../bench/result.ts'
import type { SideName } from '../../bench/sides.ts'

export function rounds(...values: readonly number[]): readonly Round[] {
  return values.map((value) => ({ values: [value], perSecond: 1_000 / value }))
}

export function row(name: string, series: readonly (readonly [SideName, readonly Round[]])[], rank = 50): Row {
  return { name, unit: 'µs CPU', rank, series: series.map(([side, taken]) => ({ side, rounds: taken })) }
}

export function result(rows: readonly Row[], parts: Partial<Result> = {}): Result {
  return newResult({
    what: 'full',
    startedAt: '2026-11-25T08:09:10.111Z',
    commit: '0123abcd',
    conditions: { machine: '2 cores', load: '0.10' },
    sizes: { rounds: 3 },
    titles: { handfast: 'Handfast', mosquitto: 'Mosquitto' },
    rows,
    ...parts,
  })
}
