/** A fleet that does not exist: registered, enrolled, connected, renewed and revoked as real devices are. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '../core/errors.ts'
import { parseBootstrap } from '../core/identity/bootstrap.ts'
import { type IdentityId, parseIdentityId } from '../core/identity/id.ts'
import type { Secret } from '../core/secret.ts'
import { enrol } from '../device/enrol.ts'
import { openCredentialStore } from '../device/store/open.ts'
import { type RevocationSummary, Revocations } from './revocations.ts'
import { clockOf, type DeviceEvent, runDevice, type SimulatedDevice } from './simulated-device.ts'
import { type Counts, Tally, type Times } from './tally.ts'

/** What the simulation asks of a hub's operator. */
export interface DeviceRegistry {
  /** Registers a device and answers its bootstrap string. @throws HubError `identity-exists` */
  register(id: string): Promise<Secret>
  /** A new bootstrap string for a device that is registered. */
  newBootstrap(id: string): Promise<Secret>
  /** Revokes a device with all it holds. */
  revoke(id: string): Promise<void>
}

export interface SimulationOptions {
  readonly registry: DeviceRegistry
  /** Devices are named from `<prefix>1` up to this number. */
  readonly devices: number
  readonly prefix: string
  /** Readings of each device; null for no end. */
  readonly count: number | null
  readonly intervalMs: number
  /** How long the fleet sends once all have enrolled; null for no end. */
  readonly durationMs: number | null
  /** Time between two renewals of a device; null where each renews at two thirds of the life of its certificate. */
  readonly renewEveryMs: number | null
  /** How many devices are revoked while they send, one a second. */
  readonly revoke: number
  /** Clocks of devices are ahead or behind by up to this. */
  readonly clockSkewMs: number
  /** Where keys and certificates stay, a folder for each device; null for a folder that is removed at the end. */
  readonly directory: string | null
  /** Numbers from 0 up to, not including, 1. */
  readonly random: () => number
  readonly signal: AbortSignal
  readonly report: (event: SimulationEvent) => void
}

export type SimulationEvent =
  | DeviceEvent
  | ({ readonly id: string } & (
      | { readonly kind: 'enrolled' }
      | { readonly kind: 'enrolment-failed'; readonly reason: string }
      /** The hub has been asked to revoke it. */
      | { readonly kind: 'revoked' }
    ))

export interface SimulationSummary {
  readonly devices: number
  readonly enrolled: number
  /** Readings that the hub has acknowledged. */
  readonly sent: number
  /** From sending to acknowledgement; null without a reading. */
  readonly acknowledgedMs: Times | null
  readonly renewals: { readonly done: number; readonly failed: number }
  readonly revocations: RevocationSummary
  /** Connections that were lost by devices that nobody had revoked. */
  readonly lost: number
  /** Devices that did not enrol, were refused for good or were revoked and are not out, each with the reason. */
  readonly failed: readonly Failed[]
}

interface Failed {
  readonly id: string
  readonly reason: string
  /** What to do, where that is known. */
  readonly hint?: string
}

/** Enrolments that run at one time: enough to keep the hub busy, too few to look like a flood. */
const enrolmentsAtOnce = 8

/** Runs the fleet until every device has sent its readings, its time is over, the signal comes or all were refused. */
export async function simulate(options: SimulationOptions): Promise<SimulationSummary> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'handfast-simulate-'))
  try {
    return await new Fleet(options, directory).run()
  } finally {
    if (options.directory === null) rmSync(directory, { recursive: true, force: true })
  }
}

class Fleet {
  readonly #options: SimulationOptions
  readonly #directory: string
  readonly #tally = new Tally()
  readonly #failed: Failed[] = []
  readonly #revocations: Revocations
  /** Devices that send, by id. */
  readonly #running = new Map<string, Promise<void>>()
  /** Ends the devices. */
  readonly #stop = new AbortController()

  constructor(options: SimulationOptions, directory: string) {
    this.#options = options
    this.#directory = directory
    this.#revocations = new Revocations((id) => {
      this.#report({ id, kind: 'revoked' })
      return options.registry.revoke(id)
    })
  }

  async run(): Promise<SimulationSummary> {
    const { devices, prefix, signal, durationMs, revoke } = this.#options
    const stop = (): void => this.#stop.abort()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const ids = Array.from({ length: devices }, (_, index) => parseIdentityId(`${prefix}${index + 1}`))
      await inParallel(ids, enrolmentsAtOnce, (id) => this.#begin(id))
      const allEnded = Promise.all(this.#running.values()).then(() => {})
      const revoking = new AbortController()
      const revoked = this.#revocations.run(
        revoke,
        () => this.#oneToRevoke(),
        AbortSignal.any([signal, revoking.signal]),
      )
      await (durationMs === null ? allEnded : firstOf(allEnded, durationMs, signal))
      revoking.abort()
      this.#failed.push(...(await revoked))
      await this.#revocations.settled(signal)
      if (!signal.aborted) this.#failed.push(...this.#revocations.failures())
      stop()
      await allEnded
      const known = new Set(this.#failed.map(({ id }) => id))
      if (!signal.aborted) this.#failed.push(...this.#tally.outside().filter(({ id }) => !known.has(id)))
      return this.#summary()
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** Enrols a device and lets it send. */
  async #begin(id: IdentityId): Promise<void> {
    const { signal, random, clockSkewMs } = this.#options
    if (signal.aborted) return
    const clockAheadMs = Math.round(clockSkewMs * (2 * random() - 1))
    const device = await this.#enrolled(id, clockAheadMs)
    if (device === null) return
    this.#report({ id, kind: 'enrolled' })
    const { count, intervalMs, renewEveryMs } = this.#options
    const report = (event: DeviceEvent): void => this.#report(event)
    const run = runDevice(device, { count, intervalMs, renewEveryMs, random, signal: this.#stop.signal, report })
    this.#running.set(
      id,
      run.then(({ refusal }) => {
        this.#running.delete(id)
        if (this.#revocations.has(id)) this.#revocations.gone(id)
        else if (refusal !== null) this.#failed.push({ id, reason: refusal })
      }),
    )
  }

  async #enrolled(id: IdentityId, clockAheadMs: number): Promise<SimulatedDevice | null> {
    const directory = join(this.#directory, id)
    try {
      const kept = keptDevice(id, directory, clockAheadMs)
      if (kept !== null) return kept
      const bootstrap = parseBootstrap(await bootstrapFor(id, this.#options.registry))
      await enrol({ bootstrap, directory, nowMs: clockOf({ clockAheadMs }) })
      return { id, store: openCredentialStore(directory), clockAheadMs }
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      this.#failed.push({ id, reason: error.message, hint: error.hint })
      this.#report({ id, kind: 'enrolment-failed', reason: error.message })
      return null
    }
  }

  #oneToRevoke(): string | null {
    const ids = [...this.#running.keys()].filter((id) => !this.#revocations.has(id))
    return ids[Math.floor(this.#options.random() * ids.length)] ?? null
  }

  #report(event: SimulationEvent): void {
    const isRevoked = this.#revocations.has(event.id)
    this.#tally.note(event, isRevoked)
    if (isRevoked && (event.kind === 'lost' || event.kind === 'refused')) this.#revocations.note(event)
    this.#options.report(event)
  }

  #summary(): SimulationSummary {
    const { enrolled, sent, renewals, renewalsFailed, lost }: Counts = this.#tally.counts()
    return {
      devices: this.#options.devices,
      enrolled,
      sent,
      acknowledgedMs: this.#tally.acknowledged(),
      renewals: { done: renewals, failed: renewalsFailed },
      revocations: this.#revocations.summary(),
      lost,
      failed: this.#failed,
    }
  }
}

/** With the certificate of an earlier run, while it lasts. */
function keptDevice(id: IdentityId, directory: string, clockAheadMs: number): SimulatedDevice | null {
  const store = openCredentialStore(directory)
  const held = store.current()
  if (held?.hub?.id !== id || held.certificate.validToDate.getTime() < Date.now()) return null
  return { id, store, clockAheadMs }
}

async function bootstrapFor(id: string, registry: DeviceRegistry): Promise<Secret> {
  try {
    return await registry.register(id)
  } catch (error) {
    if (error instanceof HubError && error.code === 'identity-exists') return registry.newBootstrap(id)
    throw error
  }
}

/** Fulfilled by the work, the end of the time or the signal, whichever comes first. */
async function firstOf(work: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController()
  const timer = pause(ms, undefined, { signal: AbortSignal.any([signal, over.signal]) }).catch(() => {})
  await Promise.race([work, timer])
  over.abort()
}

/** Runs the work for each item, at most `atOnce` at one time; the first rejection ends it. */
async function inParallel<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
