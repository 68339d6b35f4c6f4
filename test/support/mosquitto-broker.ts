/** Debian's Mosquitto as a broker of its own, on a free port of the loopback address. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { programPath } from './programs.ts'

export interface MosquittoBroker {
  readonly port: number
  /** What it has written so far. */
  output(): string
}

/**
 * Starts it and waits until it accepts connections.
 *
 * @param lines of its configuration, beside the listener
 */
export async function startMosquittoBroker(
  context: { after(step: () => Promise<void>): void },
  folder: string,
  lines: readonly string[],
): Promise<MosquittoBroker> {
  const text = (port: number) => ['per_listener_settings true', `listener ${port} 127.0.0.1`, ...lines, ''].join('\n')
  return startConfiguredMosquitto(context, folder, text)
}

/**
 * The same with a whole configuration of its own, in `mosquitto.conf` of the folder.
 *
 * @param configurationOf the text for a port
 */
export async function startConfiguredMosquitto(
  context: { after(step: () => Promise<void>): void },
  folder: string,
  configurationOf: (port: number) => string,
): Promise<MosquittoBroker> {
  const port = await freePort()
  const configuration = join(folder, 'mosquitto.conf')
  // As root it would become a user of its own, who may not read the key.
  const user = process.getuid?.() === 0 ? '\nuser root\n' : ''
  writeFileSync(configuration, `${configurationOf(port)}${user}`)
  const child = spawn(programPath('mosquitto') ?? 'mosquitto', ['-c', configuration, '-v'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  }
  const ended = once(child, 'exit')
  context.after(async () => {
    if (isRunning(child)) child.kill('SIGKILL')
    await ended
  })
  for (let waited = 0; !(await accepts(port)); waited += 50) {
    if (!isRunning(child) || waited > 20_000) throw new Error(`mosquitto did not start:\n${output}`)
    await delay(50)
  }
  return { port, output: () => output }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
