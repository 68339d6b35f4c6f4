/** Processes of root in namespaces of their own, over the files of this machine; they end with the test. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Finished, run } from '../support/run.ts'

/** Programs that this takes, besides a user who is root. */
export const namespacePrograms = ['unshare', 'nsenter', 'setpriv', 'mountpoint'] as const

/** Exit status of a script that lays them out, where this machine does not let it. */
const notPossible = 42

export interface NamespaceOptions {
  /** What becomes process 1: mounts, processes, names and System V objects are its own. */
  readonly command: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** A mount point that only they have: nothing is run in them before it is there. */
  readonly mark: string
  /** Put in front of everything. */
  readonly wrapper?: readonly string[]
  /** Options of `unshare`, for more of its kinds. */
  readonly more?: readonly string[]
}

export class Namespaces {
  readonly #child: ChildProcess
  readonly #mark: string
  #output = ''
  /** Fulfilled with the exit status of process 1. */
  readonly ended: Promise<number | null>

  constructor(t: TestContext, { command, env, mark, wrapper = [], more = [] }: NamespaceOptions) {
    // It ends with this process, however that ends.
    const guard = ['setpriv', '--pdeathsig', 'KILL']
    const enter = ['unshare', '--kill-child', '--fork', '--pid', '--mount', '--uts', '--ipc', ...more]
    const [program = '', ...args] = [...wrapper, ...guard, ...enter, ...command]
    this.#mark = mark
    this.#child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString('utf8')
      })
    }
    this.ended = once(this.#child, 'close').then(([status]) => status as number | null)
    t.after(async () => {
      this.kill('SIGKILL')
      this.#child.kill('SIGKILL')
      await this.ended
    })
  }

  /** What process 1 has written. */
  said(): string {
    return this.#output
  }

  /**
   * Waits for a condition, and fails when process 1 ends before it holds.
   *
   * @returns false, with the test skipped, where this machine does not let them be laid out
   */
  async until(t: TestContext, holds: () => Promise<boolean>): Promise<boolean> {
    for (const startMs = performance.now(); performance.now() - startMs < 150_000; await delay(50)) {
      if (this.#child.exitCode === notPossible) {
        t.skip(`this machine cannot have namespaces like these: ${this.#output.trim()}`)
        return false
      }
      assert.equal(this.#child.exitCode, null, `it ended early:\n${this.#output}`)
      if (await holds()) return true
    }
    throw new Error(`it was not ready in time:\n${this.#output}`)
  }

  /** The name of the program that process 1 is, or null. */
  program(): string | null {
    const first = this.#first()
    return first === null ? null : readFileSync(`/proc/${first}/comm`, 'utf8').trim()
  }

  kill(signal: NodeJS.Signals): void {
    const first = this.#first()
    if (first !== null) process.kill(Number(first), signal)
  }

  /**
   * Runs a script of bash in them, which ends at the first command that fails.
   *
   * @param user number of a user to run it as, else root
   */
  run(script: string, user = 0): Promise<Finished> {
    const first = this.#first()
    if (first === null) return Promise.resolve({ status: null, stdout: '', stderr: 'there is no process yet' })
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    const enter = ['--target', first, '--all', '--setuid', String(user), '--setgid', String(user)]
    const clean = ['env', '-i', path, `HOME=${user === 0 ? '/root' : '/'}`, 'LC_ALL=C.UTF-8']
    // Never outside, where it would be done to this machine.
    const guarded = `mountpoint -q ${this.#mark} || { echo 'it is not laid out yet' >&2; exit 99; }\n${script}`
    // bash takes a socket as its standard input for a remote shell, and would read the files of root.
    return run('nsenter', [...enter, ...clean, '/bin/bash', '--norc', '-ec', guarded], { timeoutMs: 90_000 })
  }

  /** The same for a script that must end well, with what it printed. */
  async output(script: string, user = 0): Promise<string> {
    const { status, stdout, stderr } = await this.run(script, user)
    assert.equal(status, 0, `${script}\n${stdout}\n${stderr}`)
    return stdout.trim()
  }

  /** Process 1, as it is numbered here: unshare's one child. */
  #first(): string | null {
    const { pid } = this.#child
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] || null
    } catch {
      return null
    }
  }
}
