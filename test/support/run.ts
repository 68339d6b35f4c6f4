import { spawn } from 'node:child_process'

export interface Finished {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly cwd?: string
  /** Milliseconds after which the program is killed and the promise rejected. */
  readonly timeoutMs?: number
}

/** Runs a program to its end. A status other than 0 is an answer, not an error. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8')
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8')
    })
    const limit = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${command} ${args.join(' ')} did not end in time\n${stdout}\n${stderr}`))
    }, options.timeoutMs ?? 60_000)
    child.on('error', (error) => {
      clearTimeout(limit)
      reject(error)
    })
    child.on('close', (status) => {
      clearTimeout(limit)
      resolve({ status, stdout, stderr })
    })
    // A program that ends before it has read its input is no failure of the test.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
