/** Node's TLS and nothing else, so that a table tells what is ours and what is Node's. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Closing } from '../closing.ts'
import type { Broker, Target } from '../sides.ts'
import type { BareTlsSettings } from './bare-tls-program.ts'
import type { PemPair } from './hub-keys.ts'
import { startProgram } from './program.ts'

/** @param folder a folder of its own */
export async function startBareTls(closing: Closing, folder: string, certificate: PemPair): Promise<Broker> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const readyFile = join(folder, 'ready.json')
  const settings: BareTlsSettings = { ...certificate, readyFile }
  const settingsFile = join(folder, 'settings.json')
  writeFileSync(settingsFile, JSON.stringify(settings), { mode: 0o600 })
  const { pid, stop } = await startProgram(closing, {
    program: process.execPath,
    args: [join(import.meta.dirname, 'bare-tls-program.ts'), settingsFile],
    log: join(folder, 'output'),
    hasStarted: async () => existsSync(readyFile),
  })
  const mqtt = JSON.parse(readFileSync(readyFile, 'utf8')) as Target
  return { name: 'node-tls', pids: [pid], mqtt, stop }
}
