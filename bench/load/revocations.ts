import { openHub } from '../../src/cli/api-client.ts'
import type { FleetClients } from './client.ts'
import type { Held } from './held.ts'
import type { Tasks } from './tasks.ts'

/** Time for a revoked session to end, in milliseconds. */
const closeMs = 10_000

/**
 * Sessions and API calls in one process: both ends of each span are read from one clock. What was revoked is held no more;
 * `release` sees that nothing else was closed.
 */
export async function revokeMany(
  clients: FleetClients,
  held: Held,
  { data, from, count }: Tasks['revocations']['request'],
): Promise<Tasks['revocations']['answer']> {
  const api = openHub({ data, env: {}, directory: '/' })
  const answeredMs: number[] = []
  const closedMs: number[] = []
  for (let device = from; device < from + count; device++) {
    const startMs = performance.now()
    const since = (): number => performance.now() - startMs
    const closed = held.clients.filter((each) => each.device === device).map(({ client }) => client.closed.then(since))
    const answered = api.post(`/devices/${clients.device(device).id}/revoke`, { reason: 'keyCompromise' }).then(since)
    answeredMs.push(await answered)
    closedMs.push(...(await Promise.all(closed.map(within))))
  }
  held.clients = held.clients.filter(({ device }) => device < from || device >= from + count)
  return { answeredMs, closedMs }
}

async function within(closed: Promise<number>): Promise<number> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`a revoked session lived on for ${closeMs / 1000} s`)), closeMs)
  try {
    return await Promise.race([closed, late])
  } finally {
    clearTimeout(timer)
  }
}
