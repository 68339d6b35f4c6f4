/** A real hub in a process of its own, on free ports of the loopback address, and its command line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { BootstrapView } from '../../src/api-schema/views.ts'
import { databaseEnvironment } from './hub-database.ts'
import { type Finished, type RunOptions, run } from './run.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const repository: string = join(import.meta.dirname, '../..')
const launcher = join(repository, 'bin/handfast.js')

interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface HubProcess {
  readonly data: string
  readonly mqtt: Endpoint
  readonly https: Endpoint
  readonly http: Endpoint
  /** Null where `--api-listen` was not given. */
  readonly api: Endpoint | null
  /** Null where `--metrics-listen` was not given. */
  readonly metrics: Endpoint | null
  /** Null where `--gate-link` was not given. */
  readonly gateLink: Endpoint | null
  /** Path of the root certificate. */
  readonly ca: string
  readonly process: ChildProcess
  /** What it has written so far. */
  output(): string
  /** Runs the command line against this hub. */
  cli(args: readonly string[], options?: RunOptions): Promise<Finished>
  /** The same with --json, its answer parsed; fails when the command fails. */
  json<T>(args: readonly string[], options?: RunOptions): Promise<T>
  /** Registers a device and enrols it into `<folder>`, as a person would with two commands. */
  enrolled(id: string, folder: string): Promise<DeviceFiles>
  /** SIGTERM, and waits for the end. Returns the exit status. */
  stop(): Promise<number | null>
  /** `kill -9`. */
  kill(): Promise<void>
}

export interface DeviceFiles {
  readonly id: string
  readonly folder: string
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface HubOptions {
  readonly data: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Shares the registry of the hub with this data directory, both on PostgreSQL. */
  readonly sharesRegistryOf?: string
  /** Put in front of the command, as in `faketime`. */
  readonly wrapper?: readonly string[]
  /** How long it may take to serve, in milliseconds of this process's clock. */
  readonly startMsMax?: number
}

/** The arguments of `up` that every test hub has. */
export function upArguments(data: string, readyFile: string): string[] {
  const ports = ['--mqtt-port', '0', '--https-port', '0', '--http-port', '0']
  return [
    'up',
    '--data',
    data,
    '--host',
    '127.0.0.1',
    '--public-name',
    'localhost',
    ...ports,
    // Whatever is installed here.
    '--broker',
    'embedded',
    '--ready-file',
    readyFile,
  ]
}

/**
 * One hub for tests of a file that leave it as it was but for devices of their own: the first that asks starts it, and it ends with
 * the file.
 */
export function hubOfFile(args: readonly string[] = []): () => Promise<HubProcess> {
  let hub: Promise<HubProcess> | null = null
  const steps: (() => unknown)[] = []
  const context = { after: (step: () => unknown) => void steps.push(step) }
  after(async () => {
    for (const step of steps.reverse()) await step()
  })
  return () => {
    hub ??= startHubProcess(context, { data: join(temporaryFolder(context), 'data'), args })
    return hub
  }
}

/** Starts a hub and waits until it serves. */
export async function startHubProcess(
  context: { after(step: () => Promise<void>): void },
  options: HubOptions,
): Promise<HubProcess> {
  const database = await databaseEnvironment(options.sharesRegistryOf ?? options.data)
  const readyFile = `${options.data}.ready.json`
  rmSync(readyFile, { force: true })
  const [command = process.execPath, ...start] = [...(options.wrapper ?? []), process.execPath, launcher]
  const child = spawn(command, [...start, ...upArguments(options.data, readyFile), ...(options.args ?? [])], {
    env: { ...process.env, ...database, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
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
  context.after(async () => {
    await kill()
    rmSync(readyFile, { force: true })
  })

  for (let waited = 0; !existsSync(readyFile); waited += 20) {
    if (child.exitCode !== null || waited > (options.startMsMax ?? 30_000))
      throw new Error(`the hub did not start:\n${output}`)
    await delay(20)
  }
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as {
    mqtt: Endpoint
    https: Endpoint
    http: Endpoint
    api: Endpoint | null
    metrics: Endpoint | null
    gateLink: Endpoint | null
    ca: string
  }

  const cli = (args: readonly string[], runOptions: RunOptions = {}): Promise<Finished> =>
    run(process.execPath, [launcher, ...args], {
      ...runOptions,
      env: { HANDFAST_DATA: options.data, ...database, ...runOptions.env },
    })

  async function json<T>(args: readonly string[], runOptions?: RunOptions): Promise<T> {
    const { status, stdout, stderr } = await cli([...args, '--json'], runOptions)
    if (status !== 0) throw new Error(`handfast ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`)
    return JSON.parse(stdout) as T
  }

  return {
    data: options.data,
    ...ready,
    process: child,
    output: () => output,
    cli,
    json,
    async enrolled(id, folder) {
      const { bootstrap } = await json<BootstrapView>(['device', 'add', id])
      const { status, stderr } = await cli(['enrol', '-', '--dir', folder], { input: bootstrap })
      if (status !== 0) throw new Error(`enrol ${id} ended with ${status}:\n${stderr}`)
      return deviceFiles(id, folder)
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
    kill,
  }
}

export function deviceFiles(id: string, folder: string): DeviceFiles {
  return {
    id,
    folder,
    ca: join(folder, 'ca.pem'),
    cert: join(folder, 'client_cert.pem'),
    key: join(folder, 'private_key.pem'),
  }
}
