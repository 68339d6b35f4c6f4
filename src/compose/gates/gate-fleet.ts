/**
 * Gate processes that share the listeners of a hub. On Linux each listens by itself and the kernel deals connections out, which
 * costs nothing; elsewhere `node:cluster` hands them over in turn. A process that dies is started again, and its sessions are all
 * that is lost, with the connections that the kernel had put into its queue.
 */
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { HubError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { GateCertificate, ListenerAddress } from '../../gate/gate.ts'
import type { GateAdmission } from '../../hub/gate-admission.ts'
import { countFor, type GateObserver } from '../../hub/gate-counts.ts'
import { figuresOfGone, noGateFigures, sumOfFigures } from '../../hub/gate-figures.ts'
import type { GateFigures } from '../../hub/ports/figures.ts'
import type { Log } from '../../hub/ports/log.ts'
import type { Observer } from '../../hub/ports/observer.ts'
import type { AttemptRecorder } from '../../hub/record-attempts.ts'
import { certificateText, type FailureText, type GateSettings, type ToGate, type ToHub } from './messages.ts'

export type FleetObserver = GateObserver & Pick<Observer, 'revocationApplied'>

export interface GateFleetOptions {
  /** How many processes. */
  readonly count: number
  /** What each of them is told; no port may be 0. */
  readonly settings: Omit<GateSettings, 'number' | 'certificate'>
  readonly certificate: GateCertificate
  readonly confirmUse: GateAdmission['confirmUse']
  /** Has the CRLs fetched that a certificate of a trust anchor names. */
  wantCrl(anchorId: string, certificate: Uint8Array): void
  readonly attempts: Pick<AttemptRecorder, 'record'>
  readonly observer: FleetObserver
  readonly log: Log
  /** The file that the processes run; a test may wrap the real one. */
  readonly processFile?: URL
}

/** A clone runs the source, a package what was compiled from it; the compiler rewrites specifiers, not URLs. */
const defaultProcessFile = new URL(
  import.meta.url.endsWith('.ts') ? './gate-process.ts' : './gate-process.js',
  import.meta.url,
)

/**
 * Starts the processes; all of them serve when this is fulfilled.
 *
 * @throws HubError what the first of them could not do
 */
export async function startGateFleet(options: GateFleetOptions): Promise<GateFleet> {
  const fleet = new GateFleet(options)
  try {
    await fleet.start()
  } catch (error) {
    await fleet.stop()
    throw error
  }
  return fleet
}

export class GateFleet {
  readonly #options: GateFleetOptions
  readonly #gates: GateProcess[]
  #addresses: readonly ListenerAddress[] = []
  #certificate: GateCertificate
  #areEventsDue = false

  constructor(options: GateFleetOptions) {
    this.#options = options
    this.#certificate = options.certificate
    this.#gates = Array.from({ length: options.count }, (_, index) => {
      const settings = (): GateSettings => ({
        ...options.settings,
        number: index + 1,
        certificate: certificateText(this.#certificate),
      })
      return new GateProcess(options, settings)
    })
  }

  async start(): Promise<void> {
    cluster.setupPrimary({
      exec: (this.#options.processFile ?? defaultProcessFile).pathname,
      args: [],
      serialization: 'advanced',
      silent: false,
    })
    const [addresses = []] = await Promise.all(this.#gates.map((gate) => gate.start()))
    this.#addresses = addresses
  }

  /** Of all listeners, in the order of the settings. */
  get addresses(): readonly ListenerAddress[] {
    return this.#addresses
  }

  /** Process ids of those that run. */
  pids(): readonly number[] {
    return this.#gates.flatMap((gate) => gate.pid ?? [])
  }

  setCertificate(certificate: GateCertificate): void {
    this.#certificate = certificate
    this.#tell({ kind: 'certificate', certificate: certificateText(certificate) })
  }

  refreshTrust(): void {
    this.#tell({ kind: 'trust' })
  }

  /** There are new events in the registry. Those of one turn are told once. */
  tellEvents(): void {
    if (this.#areEventsDue) return
    this.#areEventsDue = true
    queueMicrotask(() => {
      this.#areEventsDue = false
      this.#tell({ kind: 'events' })
    })
  }

  /** The number of the last event that all processes have applied; `newest` where none of them has said. */
  position(newest: number): number {
    return Math.min(newest, ...this.#gates.map((gate) => gate.position ?? newest))
  }

  sessionCount(): number {
    return this.figures().sessions
  }

  /** As the processes told them last, at most `limits.gateFiguresMs` ago; what one that died had counted stays counted. */
  figures(): GateFigures {
    return this.#gates.map((gate) => gate.figures()).reduce(sumOfFigures, noGateFigures)
  }

  /** All say goodbye and end, at most a little after `limits.drainMs`. */
  async stop(): Promise<void> {
    await Promise.all(this.#gates.map((gate) => gate.stop()))
  }

  #tell(message: ToGate): void {
    for (const gate of this.#gates) gate.tell(message)
  }
}

/** One place in the fleet: a process, and after its death the next one. */
class GateProcess {
  readonly #options: GateFleetOptions
  readonly #settings: () => GateSettings
  readonly #number: number
  #worker: Worker | null = null
  #figures: GateFigures = noGateFigures
  /** Of those that are gone. */
  #past: GateFigures = noGateFigures
  #restartMs: number = limits.gateRestartMs
  #restartTimer: NodeJS.Timeout | undefined
  #stopped = false
  position: number | null = null

  constructor(options: GateFleetOptions, settings: () => GateSettings) {
    this.#options = options
    this.#settings = settings
    this.#number = settings().number
  }

  get pid(): number | null {
    return this.#worker?.process.pid ?? null
  }

  figures(): GateFigures {
    return sumOfFigures(this.#past, this.#figures)
  }

  /** Fulfilled with its addresses when it serves. @throws HubError */
  start(): Promise<readonly ListenerAddress[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly ListenerAddress[]>()
    const fail = (failure: FailureText): void =>
      reject(new HubError(failure.code, failure.message, { hint: failure.hint }))
    const late = setTimeout(
      () => fail(unwilling(`did not serve within ${limits.gateStartMs / 1000} s`)),
      limits.gateStartMs,
    )
    const worker = cluster.fork()
    const bornMs = performance.now()
    let serves = false
    this.#worker = worker
    worker.on('message', (message: ToHub) => {
      if (message.kind === 'hello') this.tell({ kind: 'start', settings: this.#settings() })
      else if (message.kind === 'failed') fail(message.failure)
      else if (message.kind === 'serving') {
        serves = true
        resolve(message.addresses)
      } else this.#hear(message)
    })
    worker.on('error', (error) => this.#options.log.warn('a gate process is not heard', { gate: this.#number, error }))
    worker.once('exit', (status: number | null, signal: string | null) => {
      fail(unwilling(`ended with ${signal ?? status} before it served`))
      this.#ended(serves, performance.now() - bornMs, signal ?? status)
    })
    return promise.finally(() => clearTimeout(late))
  }

  tell(message: ToGate): void {
    if (this.#worker?.isConnected() === true) this.#worker.send(message)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#restartTimer)
    const worker = this.#worker
    if (worker === null) return
    const exit = once(worker, 'exit')
    this.tell({ kind: 'stop' })
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), limits.drainMs + 2_000)
    await exit
    clearTimeout(timer)
  }

  #hear(message: ToHub): void {
    const { attempts, observer } = this.#options
    switch (message.kind) {
      case 'told':
        for (const attempt of message.attempts) attempts.record(attempt)
        for (const counted of message.counted) countFor(observer, counted)
        return
      case 'revoked':
        observer.revocationApplied('gate', message.afterMs)
        return
      case 'figures':
        this.#figures = message.figures
        this.position = message.position
        return
      case 'confirm':
        void this.#confirm(message)
        return
      case 'crl-wanted':
        this.#options.wantCrl(message.anchorId, message.certificate)
        return
      default:
    }
  }

  async #confirm({ number, entrant }: ToHub & { readonly kind: 'confirm' }): Promise<void> {
    try {
      this.tell({ kind: 'confirmed', number, outcome: await this.#options.confirmUse(entrant) })
    } catch (error) {
      const outcome: FailureText =
        error instanceof HubError
          ? { code: error.code, message: error.message, hint: error.hint }
          : { code: 'internal', message: 'something went wrong inside the hub', hint: 'see the log' }
      if (outcome.code === 'internal') this.#options.log.error('a first use could not be written', { error })
      this.tell({ kind: 'confirmed', number, outcome })
    }
  }

  /** Its sessions are gone; the next process takes its place, unless it never served at all. */
  #ended(served: boolean, livedMs: number, how: string | number | null): void {
    this.#worker = null
    this.position = null
    this.#past = sumOfFigures(this.#past, figuresOfGone(this.#figures))
    this.#figures = noGateFigures
    if (this.#stopped) return
    if (livedMs >= limits.gateLivedMs) this.#restartMs = limits.gateRestartMs
    this.#options.log.error('a gate process has ended and is started again', { gate: this.#number, how, served })
    this.#restartTimer = setTimeout(() => {
      const { log } = this.#options
      this.start().then(
        () => log.info('a gate process serves again', { gate: this.#number, pid: this.pid }),
        (error: unknown) => log.error('a gate process cannot start', { gate: this.#number, error }),
      )
    }, this.#restartMs)
    this.#restartMs = Math.min(this.#restartMs * 2, limits.gateRestartMsMax)
  }
}

function unwilling(what: string): FailureText {
  return { code: 'gate-process-failed', message: `a gate process ${what}`, hint: 'see the lines before it in the log' }
}
