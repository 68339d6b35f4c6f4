/** Connections that are kept from one task to the next. */
import type { Client, FleetClients } from './client.ts'
import { many } from './many.ts'
import type { Pair } from './pairs.ts'
import type { Tasks } from './tasks.ts'

export interface HeldClient {
  readonly client: Client
  /** Which device of the fleet it is. */
  readonly device: number
}

export interface Held {
  clients: readonly HeldClient[]
  pairs: readonly Pair[]
}

/** Handshakes at one time: more would only wait for each other. */
const atOnce = 16

export async function hold(
  clients: FleetClients,
  { target, devices, count }: Tasks['hold']['request'],
): Promise<readonly HeldClient[]> {
  const opened: HeldClient[] = []
  await many(count, atOnce, async (index) => {
    const device = index % devices
    opened[index] = { client: await clients.open(target, clients.device(device)), device }
  })
  return opened
}

/** @throws Error when the server has closed one of them meanwhile */
export async function release(held: Held): Promise<void> {
  const single = held.clients.map(({ client }) => client)
  const all = [...single, ...held.pairs.flatMap(({ publisher, subscriber }) => [publisher, subscriber])]
  held.clients = []
  held.pairs = []
  const lost = all.filter(({ isClosed }) => isClosed).length
  await Promise.all(all.map((client) => client.end()))
  if (lost > 0) throw new Error(`${lost} of ${all.length} connections were closed by the server`)
}
