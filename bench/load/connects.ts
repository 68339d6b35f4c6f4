import type { FleetClients } from './client.ts'
import { many } from './many.ts'
import type { Tasks } from './tasks.ts'

/** Connects again and again. No session is kept by the client, so every handshake is a full one. */
export async function connectMany(
  clients: FleetClients,
  { target, devices, count, atOnce }: Tasks['connects']['request'],
): Promise<Tasks['connects']['answer']> {
  let tls = ''
  const seconds = await many(count, atOnce, async (index) => {
    const client = await clients.open(target, clients.device(index % devices))
    if (index === 0) tls = client.tls
    await client.end()
  })
  return { seconds, tls }
}
