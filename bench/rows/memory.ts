/** What an idle connection holds, in servers that were started for it. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Bed, idleDevices } from '../bed.ts'
import { type Row, rowOf, type Sample } from '../measure.ts'
import { type Memory, memoryOf } from '../processes.ts'
import type { Server } from '../servers/server.ts'

/** Connections made and ended before the first reading: code is loaded and compiled, pools have their size. */
const warmUpConnects = 200
/** Time for a garbage collector to notice that nothing happens. */
const idleMs = 3_000

interface Readings {
  readonly before: Memory
  readonly after: Memory
}

export async function memoryRows(bed: Bed): Promise<readonly Row[]> {
  bed.report('memory')
  const starts = [bed.startHandfast, ...(bed.startMosquitto === null ? [] : [bed.startMosquitto])]
  const readings = new Map<Server['name'], Readings[]>()
  for (let round = 0; round < bed.sizes.memoryRounds; round++) {
    for (const start of starts) {
      const server = await start()
      const taken = await readingsOf(bed, server)
      readings.set(server.name, [...(readings.get(server.name) ?? []), taken])
      await server.stop()
    }
  }
  const samples = (value: (taken: Readings) => number) =>
    new Map(
      [...readings].map(([name, all]) => [
        name,
        all.map((taken): Sample => ({ value: value(taken), perSecond: null })),
      ]),
    )
  const perConnection = (after: number, before: number): number => (after - before) / bed.sizes.idleConnections
  const hasPss = [...readings.values()].flat().every(({ after }) => after.pssKibibytes !== null)
  return [
    rowOf(
      'idle mTLS connection, RSS',
      'KiB',
      samples(({ before, after }) => perConnection(after.rssKibibytes, before.rssKibibytes)),
    ),
    ...(hasPss
      ? [
          rowOf(
            'idle mTLS connection, PSS',
            'KiB',
            samples(({ before, after }) => perConnection(after.pssKibibytes ?? 0, before.pssKibibytes ?? 0)),
          ),
        ]
      : []),
    rowOf(
      `whole server with ${bed.sizes.idleConnections} of them, RSS`,
      'MiB',
      samples(({ after }) => after.rssKibibytes / 1024),
    ),
    rowOf(
      'whole server without them, RSS',
      'MiB',
      samples(({ before }) => before.rssKibibytes / 1024),
    ),
  ]
}

async function readingsOf(bed: Bed, { target, pid }: Server): Promise<Readings> {
  const devices = idleDevices(bed.sizes)
  await bed.load.run('connects', { target, devices, count: warmUpConnects, atOnce: 16 })
  await delay(idleMs)
  const before = memoryOf(pid)
  await bed.load.run('hold', { target, devices, count: bed.sizes.idleConnections })
  await delay(idleMs)
  const after = memoryOf(pid)
  await bed.load.run('release', {})
  return { before, after }
}
