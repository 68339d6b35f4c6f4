/** A fleet that does not exist: registered, enrolled and connected as real devices are. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HubError } from '../core/errors.ts'
import { parseBootstrap } from '../core/identity/bootstrap.ts'
import { type IdentityId, parseIdentityId } from '../core/identity/id.ts'
import { Secret } from '../core/secret.ts'
import { enrol } from '../device/enrol.ts'
import { openCredentialStore } from '../device/store/open.ts'
import { type DeviceConnection, type DeviceEvent, runDevice } from './simulated-device.ts'

/** What the simulation asks of a hub's operator. */
export interface DeviceRegistry {
  /** Registers a device and answers its bootstrap string. @throws HubError `identity-exists` */
  register(id: string): Promise<Secret>
  /** A new bootstrap string for a device that is registered. */
  newBootstrap(id: string): Promise<Secret>
}

export interface SimulationOptions {
  readonly registry: DeviceRegistry
  /** Devices are named from `<prefix>1` up to this number. */
  readonly devices: number
  readonly prefix: string
  /** Readings of each device; null for no end. */
  readonly count: number | null
  readonly intervalMs: number
  /** Where keys and certificates stay, a folder for each device; null for a folder that is removed at the end. */
  readonly directory: string | null
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number
  readonly signal: AbortSignal
  readonly report: (event: SimulationEvent) => void
}

export type SimulationEvent =
  | DeviceEvent
  | { readonly id: string; readonly kind: 'enrolled' }
  | { readonly id: string; readonly kind: 'enrolment-failed'; readonly reason: string }

export interface SimulationSummary {
  readonly devices: number
  readonly enrolled: number
  /** Readings that the hub has acknowledged. */
  readonly sent: number
  /** Devices that did not enrol or were refused for good, each with the reason. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[]
}

/** Enrolments that run at one time: enough to keep the hub busy, too few to look like a flood. */
const enrolmentsAtOnce = 8

/** Runs the fleet until every device has sent its readings, the signal comes or all were refused. */
export async function simulate(options: SimulationOptions): Promise<SimulationSummary> {
  const ids = Array.from({ length: options.devices }, (_, index) => parseIdentityId(`${options.prefix}${index + 1}`))
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'handfast-simulate-'))
  const failed: { id: string; reason: string }[] = []
  const running: Promise<void>[] = []
  let sent = 0
  try {
    await inParallel(ids, enrolmentsAtOnce, async (id) => {
      if (options.signal.aborted) return
      const connection = await enrolled(id, directory, options)
      if ('reason' in connection) {
        failed.push(connection)
        options.report({ id, kind: 'enrolment-failed', reason: connection.reason })
        return
      }
      options.report({ id, kind: 'enrolled' })
      const run = runDevice(connection, options).then((outcome) => {
        sent += outcome.sent
        if (outcome.refusal !== null) failed.push({ id, reason: outcome.refusal })
      })
      running.push(run)
    })
    const enrolledCount = running.length
    await Promise.all(running)
    return { devices: ids.length, enrolled: enrolledCount, sent, failed }
  } finally {
    if (options.directory === null) rmSync(directory, { recursive: true, force: true })
  }
}

/** The way to connect of a device that has its certificate now, or why it has none. */
async function enrolled(
  id: IdentityId,
  directory: string,
  { registry }: SimulationOptions,
): Promise<DeviceConnection | { id: string; reason: string }> {
  const folder = join(directory, id)
  try {
    return keptConnection(id, folder) ?? (await newConnection(id, folder, registry))
  } catch (error) {
    if (error instanceof HubError) return { id, reason: error.message }
    throw error
  }
}

/** With the certificate of an earlier run, while it lasts. */
function keptConnection(id: IdentityId, directory: string): DeviceConnection | null {
  const folder = openCredentialStore(directory)
  const held = folder.current()
  if (held?.hub?.id !== id || held.certificate.validToDate.getTime() < Date.now()) return null
  return connectionOf(id, held.hub.host, held.hub.mqttPort, folder.files)
}

async function newConnection(id: IdentityId, directory: string, registry: DeviceRegistry): Promise<DeviceConnection> {
  const bootstrap = parseBootstrap(await bootstrapFor(id, registry))
  const { files } = await enrol({ bootstrap, directory })
  return connectionOf(id, bootstrap.host, bootstrap.mqttPort, files)
}

async function bootstrapFor(id: string, registry: DeviceRegistry): Promise<Secret> {
  try {
    return await registry.register(id)
  } catch (error) {
    if (error instanceof HubError && error.code === 'identity-exists') return registry.newBootstrap(id)
    throw error
  }
}

function connectionOf(
  id: string,
  host: string,
  port: number,
  files: { readonly ca: string; readonly certificate: string; readonly key: string },
): DeviceConnection {
  const text = (path: string): string => readFileSync(path, 'utf8')
  return { id, host, port, ca: text(files.ca), certificate: text(files.certificate), key: new Secret(text(files.key)) }
}

/** Runs the work for each item, at most `atOnce` at one time; the first rejection ends it. */
async function inParallel<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
