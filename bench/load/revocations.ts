import { openHub } from '../../src/cli/api-client.ts'
import type { FleetClients } from './client.ts'
import { hold } from './held.ts'
import type { Tasks } from './tasks.ts'

/** Time for a revoked session to end, in milliseconds. */
const closeMs = 10_000

/** Sessions and API calls in one process: both ends of each span are read from one clock. */
export async function revokeMany(
  clients: FleetClients,
  { target, data, sessions, revocations }: Tasks['revocations']['request'],
): Promise<Tasks['revocations']['answer']> {
  const live = await hold(clients, { target, devices: sessions, count: sessions })
  const api = openHub({ data, env: {}, directory: '/' })
  const answeredMs: number[] = []
  const closedMs: number[] = []
  for (let index = sessions - revocations; index < sessions; index++) {
    const startMs = performance.now()
    const since = (): number => performance.now() - startMs
    const closed = live[index]?.closed.then(since)
    const answered = api.post(`/devices/${clients.device(index).id}/revoke`, { reason: 'keyCompromise' }).then(since)
    answeredMs.push(await answered)
    closedMs.push(await within(closed))
  }
  const lost = live.slice(0, sessions - revocations).filter(({ isClosed }) => isClosed).length
  await Promise.all(live.map((client) => client.end()))
  if (lost > 0) throw new Error(`${lost} sessions were closed that nobody had revoked`)
  return { answeredMs, closedMs }
}

async function within(closed: Promise<number> | undefined): Promise<number> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`a revoked session lived on for ${closeMs / 1000} s`)), closeMs)
  try {
    return await Promise.race([closed ?? late, late])
  } finally {
    clearTimeout(timer)
  }
}
