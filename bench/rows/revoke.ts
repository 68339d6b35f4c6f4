/** How soon a revocation ends a live session. Mosquitto has no counterpart: it learns of a CRL, and keeps live sessions. */
import type { Bed } from '../bed.ts'
import { brokersOf } from '../brokers.ts'
import type { Round, Row } from '../figures.ts'
import type { Hub } from '../servers/handfast.ts'
import { gateDevices, liveSessions, sessionsPerDevice } from '../sizes.ts'

/** What is revoked while how much lives. */
interface Scene {
  /** In front of the names of rows. */
  readonly title: string
  readonly start: () => Promise<Hub>
  readonly devices: number
  readonly sessions: number
}

export async function revokeRows(bed: Bed): Promise<readonly Row[]> {
  const { startHandfast, startGates } = await brokersOf(bed)
  const devices = liveSessions(bed.sizes)
  const across = gateDevices(bed.sizes)
  const sessions = across * sessionsPerDevice
  return [
    ...(await rowsOf(bed, { title: 'revoke', start: startHandfast, devices, sessions: devices })),
    ...(await rowsOf(bed, {
      ...{ title: `revoke, ${sessions} sessions across two gates`, start: startGates },
      ...{ devices: across, sessions },
    })),
  ]
}

async function rowsOf(bed: Bed, { title, start, devices, sessions }: Scene): Promise<readonly Row[]> {
  const { rounds, revocationsPerRound: count } = bed.sizes
  bed.report(`revocations with ${sessions} sessions`)
  const { name: side, mqtt: target, data, stop } = await start()
  await bed.load.run('hold', { target, devices, count: sessions })
  const answered: Round[] = []
  const closed: Round[] = []
  for (let round = 1; round <= rounds; round++) {
    const taken = await bed.load.run('revocations', { data, from: devices - round * count, count })
    answered.push({ values: taken.answeredMs, perSecond: null })
    closed.push({ values: taken.closedMs, perSecond: null })
  }
  await bed.load.run('release', {})
  await stop()
  const row = (text: string, rank: number, of: readonly Round[]): Row => ({
    name: `${title} → ${text}, p${rank}`,
    unit: 'ms',
    rank,
    series: [{ side, rounds: of }],
  })
  return [row('the API has answered', 50, answered), row('socket closed', 50, closed), row('socket closed', 99, closed)]
}
