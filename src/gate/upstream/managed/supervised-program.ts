/** A program that the hub runs: started again when it ends, and ended with the hub, also when the hub is killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { createInterface } from 'node:readline'
import { limits } from '../../../core/limits.ts'
import type { Log } from '../../../hub/ports/log.ts'

export interface ProgramOptions {
  readonly path: string
  readonly args: readonly string[]
  /** Current directory of the program. */
  readonly folder: string
  readonly log: Log
}

/** The kernel ends what runs under it when its parent is gone (util-linux). */
const SETPRIV = '/usr/bin/setpriv'

/** A program that has lived for so long is started again without much waiting. */
const LIVED_MS = 60_000

/** Characters of one line of its output that reach the log. */
const LINE_MAX = 500

export class SupervisedProgram {
  readonly #options: ProgramOptions
  #child: ChildProcess | null = null
  #restartMs: number = limits.upstreamRetryMs
  #restartTimer: NodeJS.Timeout | undefined
  #isStopped = false
  #restarts = 0
  #lastLine = ''

  constructor(options: ProgramOptions) {
    this.#options = options
  }

  /** Starts it. Later ends mend themselves. */
  start(): void {
    const { path, args, folder, log } = this.#options
    const command = isThere(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM', '--', path, ...args] : [path, ...args]
    const [first = path, ...rest] = command
    // Nothing of the environment: a passphrase may stand there.
    // In a session of its own: a signal to the group of the hub, such as Ctrl-C, is for the hub, which ends it last.
    const child = spawn(first, rest, { cwd: folder, env: {}, detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
    const startedAt = performance.now()
    this.#child = child
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.#lastLine = line.slice(0, LINE_MAX)
      log.warn('the broker program says', { line: this.#lastLine })
    })
    child.once('error', (error) => {
      this.#lastLine = error.message
    })
    child.once('close', (exitCode, signal) => {
      this.#child = null
      if (this.#isStopped) return
      this.#restarts++
      log.error('the broker program has ended and is started again', { exitCode, signal, why: this.#lastLine })
      if (performance.now() - startedAt > LIVED_MS) this.#restartMs = limits.upstreamRetryMs
      this.#restartTimer = setTimeout(() => this.start(), this.#restartMs)
      this.#restartMs = Math.min(this.#restartMs * 2, limits.upstreamRetryMsMax)
    })
  }

  /** What it said last, for a message about why it does not serve. */
  lastWord(): string {
    return this.#lastLine
  }

  /** Process id of the program that runs now, or null. */
  pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** How often it has ended that was not told to. */
  restarts(): number {
    return this.#restarts
  }

  /** Ends it at once; it is started again. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  /** Lets it write what it keeps, and ends it. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#restartTimer)
    const child = this.#child
    if (child === null || child.pid === undefined) return
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), limits.managedBrokerStopMs)
    await ended
    clearTimeout(timer)
  }
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
