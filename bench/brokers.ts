/** The sides of every row about MQTT: one fleet, and the brokers that let it in. */
import { spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from '../test/support/programs.ts'
import type { Bed } from './bed.ts'
import { opensslText } from './conditions.ts'
import { enrolFleet } from './fleet.ts'
import { findBuilt } from './peers/built.ts'
import { loadedOpenssl } from './peers/openssl.ts'
import { startBareTls } from './servers/bare-tls.ts'
import { type Hub, startHub } from './servers/handfast.ts'
import { readHubKeys } from './servers/hub-keys.ts'
import { type MosquittoOptions, startMosquitto } from './servers/mosquitto.ts'
import { type Broker, type SideName, sideTitles } from './sides.ts'
import { gateDevices, liveSessions, type Sizes, sessionsPerDevice } from './sizes.ts'

export interface Brokers {
  startHandfast(): Promise<Hub>
  /** The same with two gate processes. */
  startGates(): Promise<Hub>
  /** Handfast first, with its embedded broker and with Mosquitto behind it, then the peers that this machine has, and Node alone. */
  readonly starts: readonly (() => Promise<Broker>)[]
}

/** Devices of the rows about connects and messages. */
export const connectDevices = 50

/** An identity may hold 16 sessions: this leaves room for those that are on their way out. */
export function idleDevices(sizes: Sizes): number {
  return Math.ceil(sizes.idleConnections / sessionsPerDevice)
}

const made = new WeakMap<Bed, Promise<Brokers>>()

/** Made once in a run: the rows share the fleet. */
export function brokersOf(bed: Bed): Promise<Brokers> {
  let brokers = made.get(bed)
  if (brokers === undefined) {
    brokers = makeBrokers(bed)
    made.set(bed, brokers)
  }
  return brokers
}

async function makeBrokers(bed: Bed): Promise<Brokers> {
  const { closing, options } = bed
  const data = join(bed.folder, 'mqtt')
  const start = (profiles: string | null): Promise<Hub> => startHub(closing, { name: 'handfast', data, profiles })

  const count = fleetSize(bed)
  bed.report(`enrolling ${count} devices`)
  const first = await start(null)
  const fleet = await enrolFleet(data, count)
  await first.stop()
  const file = join(bed.folder, 'fleet.json')
  writeFileSync(file, JSON.stringify(fleet), { mode: 0o600 })
  await bed.load.run('useFleet', { file })

  const { server: certificate } = await readHubKeys(data)
  const startHandfast = (): Promise<Hub> => start(options.profiles)
  // The same authority, registry and fleet once more for each: two hubs do not share a data directory.
  const startOther = (name: SideName, args: readonly string[]): (() => Promise<Hub>) => {
    const copy = join(bed.folder, name)
    cpSync(data, copy, { recursive: true })
    return () => startHub(closing, { name, data: copy, args, profiles: null })
  }
  const startManaged = startOther('handfast-managed', ['--broker', 'mosquitto'])
  const startGates = startOther('handfast-gates', ['--gates', '2'])
  let bare = 0
  const startNode = (): Promise<Broker> => startBareTls(closing, join(bed.folder, `node-${bare++}`), certificate)
  const peers = mosquittoPeers(bed).map((peer) => {
    let started = 0
    return async (): Promise<Broker> => {
      const folder = join(bed.folder, `${peer.name}-${started++}`)
      const broker = await startMosquitto(closing, { ...peer, folder, ca: fleet.ca, certificate })
      if (started === 1) noteMosquitto(bed, peer, broker)
      return broker
    }
  })
  const managed = peers.length > 0 ? [startManaged] : []
  return { startHandfast, startGates, starts: [startHandfast, ...managed, ...peers, startNode] }
}

/** Devices that the rows connect as. The last ones are revoked, so they come after those that connect again and again. */
function fleetSize({ options: { rows, sizes } }: Bed): number {
  return Math.max(
    connectDevices,
    rows.has('memory') ? idleDevices(sizes) : 0,
    rows.has('revoke') ? Math.max(liveSessions(sizes), gateDevices(sizes)) : 0,
  )
}

/** As in `3.5.`, the series that Node brings. */
const opensslSeries = process.versions.openssl.replace(/[^.]*$/, '')

type Peer = Pick<MosquittoOptions, 'name' | 'program' | 'libraries'>

function mosquittoPeers(bed: Bed): readonly Peer[] {
  const program = programPath('mosquitto')
  if (program === null) {
    bed.note('Mosquitto', 'not installed (apt-get install mosquitto)')
    return []
  }
  const libraries = findBuilt('openssl', opensslSeries)?.folder ?? null
  const asInstalled = { name: 'mosquitto', program, libraries: null } as const
  if (libraries !== null) {
    const onSameOpenssl = { name: 'mosquitto-openssl', program, libraries } as const
    return bed.options.isQuick ? [onSameOpenssl] : [asInstalled, onSameOpenssl]
  }
  bed.note(sideTitles['mosquitto-openssl'], 'not there (bench/peers/build-openssl.sh)')
  return [asInstalled]
}

function noteMosquitto(bed: Bed, { name, program }: Peer, { pids: [pid = 0] }: Broker): void {
  // It has no option for its version: help says it, with a status of its own.
  const { stdout } = spawnSync(program, ['-h'], { encoding: 'utf8', timeout: 10_000 })
  const version = /mosquitto version (\S+)/.exec(stdout)?.[1] ?? 'of unknown version'
  bed.note(sideTitles[name], `${version} with ${opensslText(loadedOpenssl(pid))}`)
}
