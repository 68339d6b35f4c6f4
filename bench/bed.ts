/** What every row stands on: a temporary folder, a fleet of enrolled devices, servers to start, a load process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { programPath } from '../test/support/programs.ts'
import type { Closing } from './closing.ts'
import { enrolFleet } from './fleet.ts'
import { type LoadProcess, startLoadProcess } from './load/load-process.ts'
import type { BenchOptions, Sizes } from './options.ts'
import { startHandfast } from './servers/handfast.ts'
import { startMosquitto } from './servers/mosquitto.ts'
import type { Server } from './servers/server.ts'
import { readServerCertificate } from './servers/server-certificate.ts'

export interface Bed {
  readonly sizes: Sizes
  /** Data directory of the hub. */
  readonly data: string
  readonly load: LoadProcess
  startHandfast(): Promise<Server>
  /** Null where Mosquitto is not installed. */
  readonly startMosquitto: (() => Promise<Server>) | null
  /** Tells how far the run is. */
  report(text: string): void
}

/** Devices that the rows connect as. The last ones are revoked, so they come after those that connect again and again. */
function fleetSize({ rows, sizes }: BenchOptions): number {
  return Math.max(
    connectDevices,
    rows.has('memory') ? idleDevices(sizes) : 0,
    rows.has('revoke') ? sizes.liveSessions : 0,
  )
}

/** Devices of the rows about connects and messages. */
export const connectDevices = 50

/** An identity may hold 16 sessions; half of it leaves room for those that are on their way out. */
export function idleDevices(sizes: Sizes): number {
  return Math.ceil(sizes.idleConnections / 8)
}

export async function makeBed(closing: Closing, options: BenchOptions): Promise<Bed> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-bench-'))
  closing.after(() => rmSync(folder, { recursive: true, force: true }))
  const report = (text: string): void => void process.stderr.write(`bench: ${text}\n`)
  if (options.profiles !== null) mkdirSync(options.profiles, { recursive: true })
  const data = join(folder, 'data')

  const count = fleetSize(options)
  report(`enrolling ${count} devices`)
  const first = await startHandfast(closing, data, null)
  const fleet = await enrolFleet(data, count)
  await first.stop()
  const certificate = await readServerCertificate(data)
  const fleetFile = join(folder, 'fleet.json')
  writeFileSync(fleetFile, JSON.stringify(fleet), { mode: 0o600 })

  const program = programPath('mosquitto')
  let started = 0
  return {
    sizes: options.sizes,
    data,
    load: startLoadProcess(closing, fleetFile),
    startHandfast: () => startHandfast(closing, data, options.profiles),
    startMosquitto:
      program === null
        ? null
        : () => {
            const own = join(folder, `mosquitto-${started++}`)
            return startMosquitto(closing, { program, folder: own, ca: fleet.ca, certificate })
          },
    report,
  }
}
