/** How soon a revocation ends a live session. Mosquitto has no counterpart: it learns of a CRL, and keeps live sessions. */
import type { Bed } from '../bed.ts'
import { brokersOf } from '../brokers.ts'
import type { Round, Row } from '../figures.ts'
import { liveSessions } from '../sizes.ts'

export async function revokeRows(bed: Bed): Promise<readonly Row[]> {
  const { startHandfast } = await brokersOf(bed)
  const { rounds, revocationsPerRound: count } = bed.sizes
  const sessions = liveSessions(bed.sizes)
  bed.report(`revocations with ${sessions} sessions`)
  const { name: side, mqtt: target, data, stop } = await startHandfast()
  await bed.load.run('hold', { target, devices: sessions, count: sessions })
  const answered: Round[] = []
  const closed: Round[] = []
  for (let round = 1; round <= rounds; round++) {
    const taken = await bed.load.run('revocations', { data, from: sessions - round * count, count })
    answered.push({ values: taken.answeredMs, perSecond: null })
    closed.push({ values: taken.closedMs, perSecond: null })
  }
  await bed.load.run('release', {})
  await stop()
  const row = (text: string, rank: number, of: readonly Round[]): Row => ({
    name: `revoke → ${text}, p${rank}`,
    unit: 'ms',
    rank,
    series: [{ side, rounds: of }],
  })
  return [row('the API has answered', 50, answered), row('socket closed', 50, closed), row('socket closed', 99, closed)]
}
