/** Debian's Mosquitto clients as programs that end by themselves. */
import { spawn } from 'node:child_process'
import type { DeviceFiles, HubProcess } from '../support/hub-process.ts'
import { type Finished, run } from '../support/run.ts'

export type Version = 'mqttv31' | 'mqttv311' | 'mqttv5'

/** What every call of these tests gives: where the hub is, who the client is, which version it speaks. */
export function clientArguments(hub: HubProcess, files: DeviceFiles | null, version: Version): string[] {
  const own = files === null ? [] : ['--cert', files.cert, '--key', files.key]
  return ['-h', 'localhost', '-p', `${hub.mqtt.port}`, '--cafile', hub.ca, ...own, '-V', version]
}

/** Runs `mosquitto_pub` to its end. */
export function publish(
  hub: HubProcess,
  files: DeviceFiles | null,
  version: Version,
  args: readonly string[],
): Promise<Finished> {
  return run('mosquitto_pub', [...clientArguments(hub, files, version), ...args])
}

/** Runs `mosquitto_sub` to its end, which `-C`, `-E` or `-W` among the arguments must bring about. */
export function subscribe(
  hub: HubProcess,
  files: DeviceFiles | null,
  version: Version,
  args: readonly string[],
): Promise<Finished> {
  return run('mosquitto_sub', [...clientArguments(hub, files, version), ...args])
}

export interface Subscriber {
  readonly finished: Promise<Finished>
  /** `kill -9`. */
  kill(): void
}

/**
 * Starts `mosquitto_sub` and waits until its subscription is granted. Its output comes line by line through `stdbuf`,
 * because it would keep the news of the SUBACK in its buffer.
 *
 * @param seconds after which it ends in any case
 */
export function subscriber(
  hub: HubProcess,
  files: DeviceFiles,
  version: Version,
  args: readonly string[],
  seconds = 20,
): Promise<Subscriber> {
  const all = [...clientArguments(hub, files, version), '-d', '-W', `${seconds}`, ...args]
  const child = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...all], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  return new Promise((resolve, reject) => {
    const finished = new Promise<Finished>((end) => {
      child.on('close', (status) => {
        end({ status, stdout, stderr })
        reject(new Error(`mosquitto_sub ended with ${status} before it had subscribed:\n${stdout}\n${stderr}`))
      })
    })
    child.on('error', reject)
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8')
    })
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8')
      if (stdout.includes('Subscribed (mid:')) resolve({ finished, kill: () => child.kill('SIGKILL') })
    })
  })
}
