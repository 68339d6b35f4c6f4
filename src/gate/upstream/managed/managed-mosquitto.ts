/**
 * Debian's Mosquitto as the broker behind the gate, run by the hub: on a unix socket that nobody else can open, with a
 * configuration of the hub's, started again when it ends. What it keeps is in a folder of its own and survives the hub.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as elapse } from 'node:timers/promises'
import { HubError, quote } from '../../../core/errors.ts'
import { limits } from '../../../core/limits.ts'
import { parseBrokerAddress } from '../../../core/upstream/broker-address.ts'
import type { Log } from '../../../hub/ports/log.ts'
import type { Random } from '../../../hub/ports/random.ts'
import type { Upstream } from '../../../hub/ports/upstream.ts'
import { startRemoteUpstream } from '../remote/remote-upstream.ts'
import type { MosquittoProgram } from './find-mosquitto.ts'
import { mosquittoConfiguration } from './mosquitto-configuration.ts'
import { SupervisedProgram } from './supervised-program.ts'

export interface ManagedMosquittoOptions {
  readonly program: MosquittoProgram
  /** Where it keeps everything, absolute; made where it is missing. */
  readonly folder: string
  readonly random: Random
  readonly log: Log
}

export interface ManagedMosquitto extends Upstream {
  /** Where others that may read the folder reach the broker. */
  readonly socketPath: string
  pid(): number | null
  restarts(): number
}

/** How often a broker that has been started is looked for. */
const LOOK_MS = 20

/**
 * Starts Mosquitto; it serves when this is fulfilled.
 *
 * @throws HubError `broker-program-unusable`
 */
export async function startManagedMosquitto(options: ManagedMosquittoOptions): Promise<ManagedMosquitto> {
  const { program, folder, random, log } = options
  const socketPath = join(folder, 'broker.sock')
  const address = parseBrokerAddress(`unix:${socketPath}`)
  if (typeof address === 'string') throw unusable(address)
  await prepare(folder, socketPath)
  const args = ['-c', join(folder, 'mosquitto.conf')]
  const running = new SupervisedProgram({ path: program.path, args, folder, log })
  running.start()
  try {
    await untilItListens(socketPath, running)
    const upstream = await startRemoteUpstream({
      ...{ addresses: [address], login: null, clientIds: 'prefixed', random, log },
      tls: { ca: null, own: null },
      onSilent: () => running.kill(),
    })
    return {
      socketPath,
      get abilities() {
        return upstream.abilities
      },
      isAvailable: () => upstream.isAvailable(),
      connect: (client, listener) => upstream.connect(client, listener),
      pid: () => running.pid(),
      restarts: () => running.restarts(),
      async stop() {
        await upstream.stop()
        await running.stop()
      },
    }
  } catch (error) {
    await running.stop()
    throw error
  }
}

async function prepare(folder: string, socketPath: string): Promise<void> {
  // It reads its configuration line by line, and a word ends at a space.
  if (/[\s]/.test(folder))
    throw unusable(`${quote(folder)} holds a space, which the configuration of mosquitto cannot name`)
  if (await isListening(socketPath))
    throw unusable(`another mosquitto still listens on ${quote(socketPath)}; end it first`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    rmSync(socketPath, { force: true })
    const places = { socket: socketPath, folder, user: userInfo().username }
    writeFileSync(join(folder, 'mosquitto.conf'), mosquittoConfiguration(places), { mode: 0o600 })
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw unusable(`${quote(folder)} cannot be used as the folder of the broker${errno}`)
  }
}

async function untilItListens(socketPath: string, running: SupervisedProgram): Promise<void> {
  const endMs = performance.now() + limits.managedBrokerStartMs
  while (!(await isListening(socketPath))) {
    // One that ends before it serves has said why; starting it again changes nothing.
    if (running.restarts() > 0 || performance.now() > endMs) {
      const word = running.lastWord()
      throw unusable(`mosquitto does not start${word === '' ? '' : `; it says ${quote(word)}`}`)
    }
    await elapse(LOOK_MS)
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy()
      resolve(true)
    })
    // Its queue is full: somebody listens.
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN'))
  })
}

function unusable(sentence: string): HubError {
  return new HubError('broker-program-unusable', sentence)
}
