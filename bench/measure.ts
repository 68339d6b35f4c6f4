/** Both sides in turn, round by round, so that whatever else happens on the machine happens to both. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Bed } from './bed.ts'
import { cpuMicrosOf } from './processes.ts'
import type { Server } from './servers/server.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** One line of the table. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly handfast: Spread
  /** Null where there is no peer, or the peer cannot do it. */
  readonly mosquitto: Spread | null
  /** Handfast's figure divided by Mosquitto's of the same round. */
  readonly ratio: Spread | null
  /** What the machine did in a second, with client and server on the same cores; null where it says nothing. */
  readonly perSecond: { readonly handfast: number; readonly mosquitto: number | null } | null
}

export interface Sample {
  readonly value: number
  readonly perSecond: number | null
}

/** Time in which a server does what it has put off, such as writing its records, before its CPU time is read. */
const settleMs = 400

/** CPU microseconds of a server for each piece of the work. @param work answers how much it did, in how many seconds */
export async function cpuPerPiece(
  server: Server,
  work: () => Promise<{ readonly pieces: number; readonly seconds: number }>,
): Promise<Sample> {
  await delay(settleMs)
  const before = cpuMicrosOf(server.pid)
  const { pieces, seconds } = await work()
  await delay(settleMs)
  return { value: (cpuMicrosOf(server.pid) - before) / pieces, perSecond: pieces / seconds }
}

/** Starts both servers, runs the work and stops them. */
export async function withServers<T>(bed: Bed, work: (servers: readonly Server[]) => Promise<T>): Promise<T> {
  const servers = [await bed.startHandfast()]
  if (bed.startMosquitto !== null) servers.push(await bed.startMosquitto())
  const result = await work(servers)
  for (const server of servers) await server.stop()
  return result
}

/**
 * Takes one sample of each server in each round.
 *
 * @param warmUps rounds before, whose samples are thrown away
 */
export async function inRounds(
  servers: readonly Server[],
  { warmUps, rounds }: { readonly warmUps: number; readonly rounds: number },
  sample: (server: Server) => Promise<Sample>,
): Promise<ReadonlyMap<Server['name'], readonly Sample[]>> {
  const samples = new Map<Server['name'], Sample[]>(servers.map(({ name }) => [name, []]))
  for (let round = -warmUps; round < rounds; round++) {
    for (const server of servers) {
      const taken = await sample(server)
      if (round >= 0) samples.get(server.name)?.push(taken)
    }
  }
  return samples
}

export function rowOf(name: string, unit: string, samples: ReadonlyMap<Server['name'], readonly Sample[]>): Row {
  const ours = samples.get('handfast') ?? []
  const theirs = samples.get('mosquitto') ?? []
  const values = (side: readonly Sample[]): number[] => side.map(({ value }) => value)
  const rate = (side: readonly Sample[]): number | null => {
    const rates = side.map(({ perSecond }) => perSecond).filter((each) => each !== null)
    return rates.length === 0 ? null : spreadOf(rates).median
  }
  const ratios = ours.flatMap(({ value }, round) => {
    const other = theirs[round]
    return other === undefined ? [] : [value / other.value]
  })
  const handfast = rate(ours)
  return {
    name,
    unit,
    handfast: spreadOf(values(ours)),
    mosquitto: theirs.length === 0 ? null : spreadOf(values(theirs)),
    ratio: ratios.length === 0 ? null : spreadOf(ratios),
    perSecond: handfast === null ? null : { handfast, mosquitto: rate(theirs) },
  }
}
