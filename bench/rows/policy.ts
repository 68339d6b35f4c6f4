/** What a decision costs, and the guard for each message: without TLS, sockets and broker, which the rows about messages hold. */
import type { Bed } from '../bed.ts'
import type { Round, Row } from '../figures.ts'

/** PUBLISH packets that arrive in one chunk. */
const batch = 100

export async function policyRows({ load, sizes, report }: Bed): Promise<readonly Row[]> {
  const { statements, applicableStatements: applicable, decidedTopics: topics, rounds } = sizes
  const policy = `policy of ${statements} statements, ${applicable} apply`
  const kinds = [
    { what: 'decision', name: `decision, ${policy}, ${topics} topics, each once` },
    { what: 'guard', name: `guard, PUBLISH of 100 bytes, chunks of ${batch}, ${policy}` },
    { what: 'rights', name: `rights of a session made, ${policy}` },
  ] as const
  const rows: Row[] = []
  for (const { what, name } of kinds) {
    report(name)
    const cpu: Round[] = []
    // The first warms up.
    for (let round = 0; round <= rounds; round++) {
      const { seconds, cpuMicros, count } = await load.run('decide', { what, statements, applicable, topics, batch })
      if (round > 0) cpu.push({ values: [cpuMicros / count], perSecond: count / seconds })
    }
    rows.push({ name, unit: 'µs CPU', rank: 50, series: [{ side: 'handfast', rounds: cpu }] })
  }
  return rows
}
