/** The hub, started as its users start it. */
import { startHubProcess } from '../../test/support/hub-process.ts'
import type { Closing } from '../closing.ts'
import type { Broker, SideName, Target } from '../sides.ts'
import { leash } from './program.ts'

export interface Hub extends Broker {
  /** The EST listener. */
  readonly https: Target
  /** Data directory. */
  readonly data: string
}

export interface HubStart {
  readonly name: SideName
  readonly data: string
  /** More arguments of `up`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Processes that work for it alone and are not its children. */
  readonly alsoPids?: readonly number[]
  /** A folder for CPU profiles, or null. */
  readonly profiles: string | null
}

export async function startHub(closing: Closing, start: HubStart): Promise<Hub> {
  const { name, data, args = [], env = {}, alsoPids = [], profiles } = start
  const profiling = profiles === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` }
  const hub = await startHubProcess(closing, { data, args, env: { ...env, ...profiling }, wrapper: leash() })
  const { pid } = hub.process
  if (pid === undefined) throw new Error('the hub has no process')
  return {
    name,
    pids: [pid, ...alsoPids],
    mqtt: hub.mqtt,
    https: hub.https,
    data,
    async stop() {
      const status = await hub.stop()
      if (status !== 0) throw new Error(`the hub ended with ${status}:\n${hub.output()}`)
    },
  }
}
