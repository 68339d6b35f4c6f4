/** Debian's Mosquitto with its defaults, mutual TLS and the rights that a Handfast device has. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Closing } from '../closing.ts'
import type { Broker, Target } from '../sides.ts'
import type { PemPair } from './hub-keys.ts'
import { answers, freeTarget, startProgram } from './program.ts'

export interface MosquittoOptions {
  readonly name: 'mosquitto' | 'mosquitto-openssl'
  readonly program: string
  /** A folder with a libssl and libcrypto to use instead of the system's, or null. */
  readonly libraries: string | null
  /** A folder of its own. */
  readonly folder: string
  /** The root, in PEM. */
  readonly ca: string
  readonly certificate: PemPair
}

export async function startMosquitto(closing: Closing, options: MosquittoOptions): Promise<Broker> {
  const { name, program, folder, libraries } = options
  const mqtt = await freeTarget()
  const { pid, stop } = await startProgram(closing, {
    program,
    args: ['-c', writeConfiguration(options, mqtt)],
    ...(libraries === null ? {} : { env: { LD_LIBRARY_PATH: libraries } }),
    hasStarted: () => answers(mqtt),
    log: join(folder, 'output'),
  })
  return { name, pids: [pid], mqtt, stop }
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
