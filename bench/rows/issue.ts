/** What a certificate costs without the way to the hub: the figure beside which the row `enrol` shows what EST and TLS take. */
import { join } from 'node:path'
import type { Bed } from '../bed.ts'
import type { Round, Row } from '../figures.ts'

const atOnce = 64

const ways = [
  { way: 'signing', name: 'certificate issued in process' },
  { way: 'order', name: 'certificate ordered by an operator, in process' },
] as const

export async function issueRows({ load, sizes, folder, report }: Bed): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { way, name } of ways) {
    report(name)
    const cpu: Round[] = []
    const latency: Round[] = []
    for (let round = 0; round <= sizes.rounds; round++) {
      const { seconds, cpuMicros, latenciesMs } = await load.run('issue', {
        ...{ folder: join(folder, 'issue'), way, prefix: `${way}-${round}`, count: sizes.issuancesPerRound, atOnce },
      })
      // The first warms up.
      if (round === 0) continue
      const perSecond = sizes.issuancesPerRound / seconds
      cpu.push({ values: [cpuMicros / sizes.issuancesPerRound], perSecond })
      latency.push({ values: latenciesMs, perSecond: null })
    }
    rows.push(
      { name: `${name}, ${atOnce} at one time`, unit: 'µs CPU', rank: 50, series: [{ side: 'handfast', rounds: cpu }] },
      {
        name: `${name}, request to answer, p99`,
        unit: 'ms',
        rank: 99,
        series: [{ side: 'handfast', rounds: latency }],
      },
    )
  }
  return rows
}
