/** The hub, started as its users start it, on free ports of the loopback address. */
import { readFileSync, rmSync } from 'node:fs'
import type { Closing } from '../closing.ts'
import { launcher } from '../repository.ts'
import type { Broker, SideName, Target } from '../sides.ts'
import { startProgram } from './program.ts'

export interface Hub extends Broker {
  /** The EST listener. */
  readonly https: Target
  /** CRLs and OCSP. */
  readonly http: Target
  /** Data directory. */
  readonly data: string
}

export interface HubStart {
  readonly name: SideName
  readonly data: string
  /** More arguments of `up`. */
  readonly args?: readonly string[]
  /** Processes that work for it alone and are not its children. */
  readonly alsoPids?: readonly number[]
  /** A folder for CPU profiles, or null. */
  readonly profiles: string | null
}

export async function startHub(closing: Closing, start: HubStart): Promise<Hub> {
  const { name, data, args = [], alsoPids = [], profiles } = start
  const readyFile = `${data}.ready.json`
  rmSync(readyFile, { force: true })
  const flags = {
    data,
    host: '127.0.0.1',
    'public-name': 'localhost',
    'mqtt-port': '0',
    'https-port': '0',
    'http-port': '0',
    broker: 'embedded',
    'ready-file': readyFile,
  }
  const { pid, stop } = await startProgram(closing, {
    program: process.execPath,
    args: [launcher, 'up', ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]), ...args],
    ...(profiles === null ? {} : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` } }),
    log: `${data}.log`,
    hasStarted: async () => readAddresses(readyFile) !== null,
  })
  const addresses = readAddresses(readyFile)
  if (addresses === null) throw new Error('the hub has taken its ready file away')
  return { name, pids: [pid, ...alsoPids], ...addresses, data, stop }
}

interface Addresses {
  readonly mqtt: Target
  readonly https: Target
  readonly http: Target
}

/** Null until the hub serves. */
function readAddresses(readyFile: string): Addresses | null {
  try {
    const { mqtt, https, http } = JSON.parse(readFileSync(readyFile, 'utf8')) as Addresses
    return { mqtt, https, http }
  } catch {
    return null
  }
}
