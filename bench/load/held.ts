/** Connections that are kept from one task to the next. */
import type { Client, FleetClients } from './client.ts'
import { many } from './many.ts'
import type { Pair } from './pairs.ts'
import type { Tasks } from './tasks.ts'

export interface Held {
  clients: readonly Client[]
  pairs: readonly Pair[]
}

/** Handshakes at one time: more would only wait for each other. */
const atOnce = 16

export async function hold(
  clients: FleetClients,
  { target, devices, count }: Tasks['hold']['request'],
): Promise<readonly Client[]> {
  const opened: Client[] = []
  await many(count, atOnce, async (index) => {
    opened[index] = await clients.open(target, clients.device(index % devices))
  })
  return opened
}

/** @throws Error when the server has closed one of them meanwhile */
export async function release(held: Held): Promise<void> {
  const all = [...held.clients, ...held.pairs.flatMap(({ publisher, subscriber }) => [publisher, subscriber])]
  held.clients = []
  held.pairs = []
  const lost = all.filter(({ isClosed }) => isClosed).length
  await Promise.all(all.map((client) => client.end()))
  if (lost > 0) throw new Error(`${lost} of ${all.length} connections were closed by the server`)
}
