/** A real Prometheus on a free port of the loopback address, with the files that this repository ships. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { repository } from './hub-process.ts'
import { programPath } from './programs.ts'

export const prometheusFolder: string = join(repository, 'deploy/prometheus')

export interface Prometheus {
  /** An answer of its API, `data` of it; fails when it reports an error. */
  ask<T>(path: string, query?: Readonly<Record<string, string>>): Promise<T>
  /** Asks again and again until the answer is as wanted; fails with the last one after half a minute. */
  until<T>(path: string, isWanted: (answer: T) => boolean, query?: Readonly<Record<string, string>>): Promise<T>
}

const pollMs = 100
const untilMs = 30_000

/** Starts it with the example configuration, which watches `target` and asks it every second. It ends after the test. */
export async function startPrometheus(
  context: { after(step: () => Promise<void>): void },
  folder: string,
  target: string,
): Promise<Prometheus> {
  const config = readFileSync(join(prometheusFolder, 'prometheus.yml'), 'utf8')
  const adapted = config.replace('127.0.0.1:9464', target).replaceAll('interval: 15s', 'interval: 1s')
  writeFileSync(join(folder, 'prometheus.yml'), adapted)
  copyFileSync(join(prometheusFolder, 'handfast.rules.yml'), join(folder, 'handfast.rules.yml'))
  const child = spawn(
    programPath('prometheus') ?? 'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(child, 'exit')
  context.after(async () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(timer)
  })
  const url = await listeningAddress(child)

  async function ask<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query)}`, {
      signal: AbortSignal.timeout(10_000),
    })
    const answer = (await response.json()) as { status: string; data: T; error?: string }
    if (answer.status !== 'success') throw new Error(`Prometheus refuses ${JSON.stringify(query)}: ${answer.error}`)
    return answer.data
  }

  async function until<T>(
    path: string,
    isWanted: (answer: T) => boolean,
    query?: Readonly<Record<string, string>>,
  ): Promise<T> {
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      const answer = await ask<T>(path, query)
      if (isWanted(answer)) return answer
      if (waitedMs > untilMs) throw new Error(`Prometheus still answers ${JSON.stringify(answer)}`)
      await delay(pollMs)
    }
  }

  return { ask, until }
}

/** Where it listens, as its log says. */
function listeningAddress(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`Prometheus does not come up:\n${said}`)), 30_000)
    const settle = (act: () => void): void => {
      clearTimeout(timer)
      act()
    }
    child.once('exit', () => settle(() => reject(new Error(`Prometheus has ended:\n${said}`))))
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8')
      const address = /msg="Listening on" address=(\S+)/.exec(said)?.[1]
      if (address !== undefined && said.includes('ready to receive web requests')) {
        settle(() => resolve(`http://${address}`))
      }
    })
  })
}
