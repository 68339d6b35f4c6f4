/** A real gate in a process of its own, with a folder of its own as on another machine, on a free port of the loopback address. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { type HubProcess, repository } from './hub-process.ts'

const launcher = join(repository, 'bin/handfast.js')

export interface GateProcess {
  readonly data: string
  readonly mqtt: { readonly host: string; readonly port: number }
  readonly process: ChildProcess
  /** What it has written so far. */
  output(): string
  /** SIGTERM, and waits for the end. Returns the exit status. */
  stop(): Promise<number | null>
  /** `kill -9`. */
  kill(): Promise<void>
}

export interface GateOptions {
  readonly data: string
  /** Port of the gate link. */
  readonly link: number
  /** Of the database, with a user that may read. */
  readonly databaseUrl: string
  /** Path of a file with the bootstrap string. */
  readonly bootstrapFile?: string
  readonly args?: readonly string[]
  /** Put in front of the command, as in `faketime`. */
  readonly wrapper?: readonly string[]
}

/** Registers a gate and writes its bootstrap string to a file, as an operator would. */
export async function addGate(hub: HubProcess, id: string, folder: string): Promise<string> {
  const { bootstrap } = await hub.json<BootstrapView>(['gate', 'add', id, '--name', 'localhost'])
  const file = join(folder, `${id}.bootstrap`)
  writeFileSync(file, `${bootstrap}\n`, { mode: 0o600 })
  return file
}

/** Starts a gate and waits until it serves. Rejects with its output when it does not. */
export async function startGateProcess(
  context: { after(step: () => Promise<void>): void },
  { data, link, databaseUrl, bootstrapFile, args = [], wrapper = [] }: GateOptions,
): Promise<GateProcess> {
  const [readyFile, urlFile] = [`${data}.ready.json`, `${data}.url`]
  rmSync(readyFile, { force: true })
  writeFileSync(urlFile, databaseUrl, { mode: 0o600 })
  const [command = process.execPath, ...start] = [...wrapper, process.execPath, launcher]
  const child = spawn(
    command,
    [
      ...start,
      ...['gate', '--data', data, '--hub', `localhost:${link}`, '--database-url-file', urlFile],
      ...['--host', '127.0.0.1', '--mqtt-port', '0', '--ready-file', readyFile],
      ...(bootstrapFile === undefined ? [] : ['--bootstrap-file', bootstrapFile]),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  }
  const ended = once(child, 'exit')
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await ended
    }
  }
  context.after(kill)
  for (let waited = 0; !existsSync(readyFile); waited += 20) {
    if (child.exitCode !== null || waited > 30_000) throw new Error(`the gate did not start:\n${output}`)
    await delay(20)
  }
  const { mqtt } = JSON.parse(readFileSync(readyFile, 'utf8')) as Pick<GateProcess, 'mqtt'>
  return {
    ...{ data, mqtt, process: child, kill },
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
  }
}
