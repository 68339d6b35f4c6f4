/**
 * The broker's thread and its keeper: a thread that throws, runs out of memory or falls silent is ended and started again.
 */
import { Worker } from 'node:worker_threads'
import { HubError } from '../../../core/errors.ts'
import type { Log } from '../../../hub/ports/log.ts'
import { brokerLimits } from './broker-limits.ts'

/** What the thread is given at its start. */
export interface BrokerWorkerData {
  /** One number, which the thread increments as long as its event loop turns. */
  readonly beats: Int32Array
}

export interface WorkerOwner {
  /** The thread serves. It may be called again, after `onDown`. */
  onUp(worker: Worker): void
  onMessage(buffer: ArrayBuffer): void
  /** The thread is gone, and with it everything in it. */
  onDown(): void
}

export interface WorkerOptions {
  readonly file: URL
  /** JavaScript heap that the thread may use, in MiB. */
  readonly heapMebibytesMax: number
}

export class SupervisedWorker {
  readonly #options: WorkerOptions
  readonly #owner: WorkerOwner
  readonly #log: Log
  #worker: Worker | null = null
  #restartTimer: NodeJS.Timeout | undefined
  #restartMs: number = brokerLimits.restartMs
  #stopped = false
  #restarts = 0

  constructor(options: WorkerOptions, owner: WorkerOwner, log: Log) {
    this.#options = options
    this.#owner = owner
    this.#log = log
  }

  /**
   * Starts the thread for the first time; later deaths mend themselves.
   *
   * @throws HubError `upstream-unavailable` when it does not come up
   */
  async start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.#launch(resolve)
    const failure = await promise
    if (failure === null) return
    await this.stop()
    throw new HubError('upstream-unavailable', 'the embedded broker does not start', { cause: failure })
  }

  /** How often a thread has ended that was not told to. */
  restarts(): number {
    return this.#restarts
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#restartTimer)
    await this.#worker?.terminate()
  }

  /** @param onOutcome told once how the start went: null when the thread serves, or why it does not */
  #launch(onOutcome: (failure: unknown) => void): void {
    const beats = new Int32Array(new SharedArrayBuffer(4))
    const workerData: BrokerWorkerData = { beats }
    const worker = new Worker(this.#options.file, {
      name: 'broker',
      workerData,
      resourceLimits: {
        maxOldGenerationSizeMb: this.#options.heapMebibytesMax,
        maxYoungGenerationSizeMb: brokerLimits.youngHeapMebibytesMax,
      },
    })
    this.#worker = worker
    let failure: unknown = new Error('the thread ended before it served')
    let upAt: number | null = null
    const watch = watchBeats(worker, beats, (reason) => {
      failure = new Error(reason)
    })
    worker.on('message', (message: ArrayBuffer | 'ready') => {
      if (message !== 'ready') return this.#owner.onMessage(message)
      upAt = performance.now()
      watch.up()
      this.#owner.onUp(worker)
      onOutcome(null)
    })
    worker.on('error', (error) => {
      failure = error
    })
    worker.once('exit', (exitCode) => {
      watch.stop()
      this.#worker = null
      if (upAt !== null) this.#owner.onDown()
      onOutcome(failure)
      if (this.#stopped) return
      this.#restarts++
      this.#log.error('the embedded broker has ended and is started again', { error: failure, exitCode })
      if (upAt !== null && performance.now() - upAt > brokerLimits.livedMs) this.#restartMs = brokerLimits.restartMs
      this.#restartTimer = setTimeout(() => this.#launch(() => {}), this.#restartMs)
      this.#restartMs = Math.min(this.#restartMs * 2, brokerLimits.restartMsMax)
    })
  }
}

/** Ends a thread that does not come up in time or whose event loop stands still. */
function watchBeats(
  worker: Worker,
  beats: Int32Array,
  onSilent: (reason: string) => void,
): { up(): void; stop(): void } {
  const end = (reason: string) => {
    onSilent(reason)
    void worker.terminate()
  }
  const startTimer = setTimeout(end, brokerLimits.startMs, 'the thread does not come up')
  let heartbeat: NodeJS.Timeout | undefined
  let seen = 0
  let silent = 0
  const look = () => {
    const now = Atomics.load(beats, 0)
    silent = now === seen ? silent + 1 : 0
    seen = now
    if (silent === brokerLimits.silentHeartbeatsMax) end('the event loop of the thread stands still')
  }
  return {
    up() {
      clearTimeout(startTimer)
      heartbeat = setInterval(look, brokerLimits.heartbeatMs)
    },
    stop() {
      clearTimeout(startTimer)
      clearInterval(heartbeat)
    },
  }
}
