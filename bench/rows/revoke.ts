/** How soon a revocation ends a live session. Mosquitto has no counterpart: it learns of a CRL, and keeps live sessions. */
import type { Bed } from '../bed.ts'
import type { Row } from '../measure.ts'
import { percentile, type Spread } from '../statistics.ts'

export async function revokeRows(bed: Bed): Promise<readonly Row[]> {
  const { liveSessions, revocations } = bed.sizes
  bed.report(`revocations with ${liveSessions} sessions`)
  const server = await bed.startHandfast()
  const request = { target: server.target, data: bed.data, sessions: liveSessions, revocations }
  const { answeredMs, closedMs } = await bed.load.run('revocations', request)
  await server.stop()
  return [
    rowOfRank('revoke → the API has answered, p50', answeredMs, 50),
    rowOfRank('revoke → socket closed, p50', closedMs, 50),
    rowOfRank('revoke → socket closed, p99', closedMs, 99),
  ]
}

/** A percentile of all revocations; its spread is that of the same percentile in each quarter of them. */
function rowOfRank(name: string, values: readonly number[], rank: number): Row {
  const quarter = Math.ceil(values.length / 4)
  const ofQuarters = [0, 1, 2, 3].map((index) => percentile(values.slice(index * quarter, (index + 1) * quarter), rank))
  const handfast: Spread = {
    median: percentile(values, rank),
    min: Math.min(...ofQuarters),
    max: Math.max(...ofQuarters),
  }
  return { name, unit: 'ms', handfast, mosquitto: null, ratio: null, perSecond: null }
}
