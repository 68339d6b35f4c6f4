/** Debian's Mosquitto with its defaults, mutual TLS and the rights that a Handfast device has. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Closing } from '../closing.ts'
import type { Server, Target } from './server.ts'
import type { ServerPem } from './server-certificate.ts'

export interface MosquittoOptions {
  readonly program: string
  /** A folder of its own. */
  readonly folder: string
  /** The root, in PEM. */
  readonly ca: string
  readonly certificate: ServerPem
}

const startMs = 10_000
const stopMs = 5_000

export async function startMosquitto(closing: Closing, options: MosquittoOptions): Promise<Server> {
  const target: Target = { host: '127.0.0.1', port: await freePort() }
  const child = spawn(options.program, ['-c', writeConfiguration(options, target)], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded()) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(timer)
  }
  closing.after(() => end('SIGKILL'))

  const giveUpAt = performance.now() + startMs
  while (!(await answers(target))) {
    if (hasEnded() || performance.now() > giveUpAt) {
      throw new Error(`mosquitto did not start:\n${readFileSync(join(options.folder, 'mosquitto.log'), 'utf8')}`)
    }
    await delay(20)
  }
  const { pid } = child
  if (pid === undefined) throw new Error('mosquitto has no process')
  return { name: 'mosquitto', pid, target, stop: () => end('SIGTERM') }
}

function writeConfiguration({ folder, ca, certificate }: MosquittoOptions, target: Target): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const put = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const lines = [
    // As root, Mosquitto would go on as a user that cannot read these files.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    // What Debian's own mosquitto.conf says.
    'persistence true',
    `persistence_location ${folder}/`,
    `log_dest file ${join(folder, 'mosquitto.log')}`,
    `listener ${target.port} ${target.host}`,
    `cafile ${put('ca.pem', ca)}`,
    `certfile ${put('server.pem', certificate.cert)}`,
    `keyfile ${put('server.key', certificate.key)}`,
    'require_certificate true',
    'use_identity_as_username true',
    'allow_anonymous false',
    `acl_file ${put('acl', 'pattern readwrite devices/%u/#\n')}`,
  ]
  return put('mosquitto.conf', `${lines.join('\n')}\n`)
}

/** A port that was free a moment ago: Mosquitto does not tell which one it got. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function answers({ host, port }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
