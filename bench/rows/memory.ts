/** What an idle connection holds, in servers that were started for it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Bed } from '../bed.ts'
import { brokersOf, idleDevices } from '../brokers.ts'
import { besidePeers, type Row, type Series } from '../figures.ts'
import { type Memory, memoryOf } from '../processes.ts'
import type { Broker, SideName } from '../sides.ts'

/** Connections made and ended before the first reading: code is loaded and compiled, pools have their size. */
const warmUpConnects = 200
/** Time for a garbage collector to notice that nothing happens. */
const idleMs = 3_000

interface Readings {
  readonly before: Memory
  readonly after: Memory
}

export async function memoryRows(bed: Bed): Promise<readonly Row[]> {
  const { starts } = await brokersOf(bed)
  bed.report('memory')
  const readings = new Map<SideName, Readings[]>()
  for (let round = 0; round < bed.sizes.memoryRounds; round++) {
    for (const start of round % 2 === 0 ? starts : starts.toReversed()) {
      const broker = await start()
      const taken = await readingsOf(bed, broker)
      readings.set(broker.name, [...(readings.get(broker.name) ?? []), taken])
      await broker.stop()
    }
  }
  const row = (name: string, unit: string, value: (taken: Readings) => number): Row => ({
    name,
    unit,
    rank: 50,
    series: [...readings].map(
      ([side, all]): Series => ({ side, rounds: all.map((taken) => ({ values: [value(taken)], perSecond: null })) }),
    ),
  })
  const count = bed.sizes.idleConnections
  const hasPss = [...readings.values()].flat().every(({ after }) => after.pssKibibytes !== null)
  const pssRow = row('idle mTLS connection, PSS', 'KiB', ({ before, after }) => {
    return ((after.pssKibibytes ?? 0) - (before.pssKibibytes ?? 0)) / count
  })
  const rows = [
    row('idle mTLS connection, RSS', 'KiB', ({ before, after }) => (after.rssKibibytes - before.rssKibibytes) / count),
    ...(hasPss ? [pssRow] : []),
    row(`whole server with ${count} of them, RSS`, 'MiB', ({ after }) => after.rssKibibytes / 1024),
    row('whole server without them, RSS', 'MiB', ({ before }) => before.rssKibibytes / 1024),
  ]
  return rows.flatMap(besidePeers)
}

async function readingsOf(bed: Bed, { mqtt: target, pids }: Broker): Promise<Readings> {
  const devices = idleDevices(bed.sizes)
  await bed.load.run('connects', { target, devices, count: warmUpConnects, atOnce: 16 })
  await delay(idleMs)
  const before = memoryOf(pids)
  await bed.load.run('hold', { target, devices, count: bed.sizes.idleConnections })
  await delay(idleMs)
  const after = memoryOf(pids)
  await bed.load.run('release', {})
  return { before, after }
}
