/** `handfast agent proxy` in a process of its own, on free ports of the loopback address. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { repository } from './hub-process.ts'

/** One line of what it prints with --json. */
export interface ProxyLine {
  readonly kind: string
  readonly [name: string]: unknown
}

export interface ProxyProcess {
  /** As `--listen` takes them, with the ports that were picked. */
  readonly addresses: readonly string[]
  /** The port of the first address. */
  readonly port: number
  /** What has happened so far. */
  readonly lines: readonly ProxyLine[]
  /** Fulfilled with the first line that fits, once there is one. */
  said(fits: (line: ProxyLine) => boolean): Promise<ProxyLine>
  /** SIGTERM, and waits for the end. Returns the exit status. */
  stop(): Promise<number | null>
}

export async function startAgentProxy(
  context: { after(step: () => Promise<void>): void },
  directory: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ProxyProcess> {
  const command = ['agent', 'proxy', '--dir', directory, '--listen', '127.0.0.1:0', ...args, '--json']
  const child = spawn(process.execPath, [join(repository, 'bin/handfast.js'), ...command], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const ended = once(child, 'exit')
  context.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  const lines: ProxyLine[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as ProxyLine)
    for (const look of waiting) look()
  })
  const said = (fits: (line: ProxyLine) => boolean): Promise<ProxyLine> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = lines.find(fits)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  const failed = ended.then(([status]) => {
    throw new Error(`the proxy ended with ${status}:\n${errors}`)
  })
  failed.catch(() => {})
  const { addresses } = (await Promise.race([said(({ kind }) => kind === 'listening'), failed])) as unknown as {
    readonly addresses: readonly string[]
  }
  return {
    addresses,
    port: Number(addresses[0]?.split(':').at(-1)),
    lines,
    said: (fits) => Promise.race([said(fits), failed]),
    async stop() {
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
  }
}
