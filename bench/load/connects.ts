import type { FleetClients } from './client.ts'
import type { Tasks } from './tasks.ts'

/** Connects again and again. No session is kept by the client, so every handshake is a full one. */
export async function connectMany(
  clients: FleetClients,
  { target, devices, count, atOnce }: Tasks['connects']['request'],
): Promise<Tasks['connects']['answer']> {
  const startMs = performance.now()
  let next = 0
  let tls = ''
  const connectNext = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const client = await clients.open(target, clients.device(index % devices))
      if (index === 0) tls = client.tls
      await client.end()
    }
  }
  await Promise.all(Array.from({ length: atOnce }, connectNext))
  return { seconds: (performance.now() - startMs) / 1000, tls }
}
