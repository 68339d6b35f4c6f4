/** A server in a process of its own that does not outlive the bench. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { programPath } from '../../test/support/programs.ts'
import type { Closing } from '../closing.ts'
import type { Target } from '../sides.ts'

export interface ProgramOptions {
  /** Absolute path. */
  readonly program: string
  readonly args: readonly string[]
  /** Set beside the environment of the bench, without what is Handfast's own there. */
  readonly env?: Readonly<Record<string, string>>
  /** Where what it says goes; shown when something is wrong. */
  readonly log: string
  /** Asked again and again until it serves. */
  hasStarted(): Promise<boolean>
}

export interface RunningProgram {
  readonly pid: number
  /** SIGTERM, and after a while SIGKILL. @throws Error with its own words when it ends otherwise than with 0 */
  stop(): Promise<void>
}

const startMs = 30_000
const stopMs = 10_000

export async function startProgram(closing: Closing, options: ProgramOptions): Promise<RunningProgram> {
  const { program, args, env, log } = options
  const said = openSync(log, 'a', 0o600)
  const [command = program, ...rest] = [...leash(), program, ...args]
  const child = spawn(command, rest, { env: { ...foreignEnvironment(), ...env }, stdio: ['ignore', said, said] })
  closeSync(said)
  const ended = once(child, 'exit')
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const failure = (what: string): Error => new Error(`${program} ${what}:\n${readFileSync(log, 'utf8')}`)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded()) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(timer)
  }
  closing.after(() => end('SIGKILL'))

  const giveUpAt = performance.now() + startMs
  while (!(await options.hasStarted())) {
    if (hasEnded() || performance.now() > giveUpAt) throw failure('did not start')
    await delay(20)
  }
  const { pid } = child
  if (pid === undefined) throw failure('has no process')
  return {
    pid,
    async stop() {
      await end('SIGTERM')
      // Go's programs have no handler for SIGTERM: to end by it is to end well.
      if (child.exitCode !== 0 && child.signalCode !== 'SIGTERM') {
        throw failure(`ended with ${child.exitCode ?? child.signalCode}`)
      }
    },
  }
}

/**
 * What to put in front of a command so that the kernel kills it when this process dies in whatever way; it becomes the
 * command itself, with the same process id. Empty where util-linux has no such program.
 */
function leash(): readonly string[] {
  const setpriv = programPath('setpriv')
  return setpriv === null ? [] : [setpriv, '--pdeathsig', 'KILL', '--']
}

/** A port that was free a moment ago, for programs that do not tell which one they got. */
export async function freeTarget(): Promise<Target> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return { host: '127.0.0.1', port }
}

/** Whether somebody accepts connections there. */
export function answers({ host, port }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The settings of whoever runs the bench are not those that are measured. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HANDFAST_')))
}
