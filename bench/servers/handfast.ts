/** The hub, started as its users start it. */
import { startHubProcess } from '../../test/support/hub-process.ts'
import type { Closing } from '../closing.ts'
import type { Server } from './server.ts'

export async function startHandfast(closing: Closing, data: string, profiles: string | null): Promise<Server> {
  const env = profiles === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` }
  const hub = await startHubProcess(closing, { data, env })
  const { pid } = hub.process
  if (pid === undefined) throw new Error('the hub has no process')
  return {
    name: 'handfast',
    pid,
    target: hub.mqtt,
    async stop() {
      const status = await hub.stop()
      if (status !== 0) throw new Error(`the hub ended with ${status}:\n${hub.output()}`)
    },
  }
}
